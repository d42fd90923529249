import { markedName } from '../../domain/task/marked-name.js';
import type { Direction } from '../../domain/session/directions.js';
import type { FailureGroup } from '../../domain/session/failure-groups.js';
import type { FrontierRow, LineageView, SeenRow } from '../../domain/session/view.js';
import { amount, clip, quoted } from '../answers.js';
import { phasesText, sizeText } from '../trial-text/measured-text.js';
import { leftText } from '../trial-text/submit-answer.js';
import { briefRow, fullRow, gateLines, headOf, lessonLines, shareText } from './row-text.js';

/** Titles in the order in which they stand in a view; the offline proposer knows the frontier by its title. */
export const TITLES = {
  start: 'Start',
  frontier: 'Frontier (what the search builds on)',
  chain: 'Adopted before it, newest first',
  running: 'Running now',
  notes: 'Notes of your role’s last sessions, newest first',
  own: "Your role's recent trials, newest first",
  neighbours: "Other roles' recent trials, newest first",
  nearMisses: 'Near misses: better than the frontier, stopped by a gate',
  failures: 'Failures among the newest trials, by cause',
  directions: 'Directions among the newest trials',
} as const;
export type Section = keyof typeof TITLES;
export const SECTIONS = Object.keys(TITLES).filter((name): name is Section => name in TITLES);

/** What may stand in a section; the same entry in several lengths, shortest first. */
export interface Entry {
  section: Section;
  /** Kept whatever the budget, at least in its shortest form. */
  isFixed: boolean;
  forms: readonly string[];
}

/** First lines of a view; the offline proposer reads the first. */
export function headLines(view: LineageView): string[] {
  const { campaign, metric, left, expectations } = view;
  const better = metric.direction === 'minimize' ? 'lower' : 'higher';
  const limit = metric.limit === undefined ? '' : `, limit ${amount(metric.limit)}`;
  const [trials = '', ...rest] = leftText(left).split(', ');
  const others = rest.length === 0 ? '' : ` Left besides: ${rest.join(', ')}.`;
  return [
    `Campaign ${clip(campaign, 80)}: ${clip(markedName(metric), 90)} in ${clip(metric.unit, 40)}, ${better} is better${limit}. T${trials.slice(1)}.${others}`,
    ...(expectations === null
      ? []
      : [
          `Your role's expectations: ${expectations.trials} trials, measured about ${shareText(expectations.share)} of what was expected; ${expectations.sameSign} of them with the expected sign.`,
        ]),
  ];
}

/** Everything that a view may show, each trial once, the most useful first. */
export function entriesOf(view: LineageView): Entry[] {
  const { unit } = view.metric;
  const seen = new Set<number>();
  const rowEntry = (row: SeenRow, section: Section): Entry[] => {
    if (seen.has(row.trial)) return [];
    seen.add(row.trial);
    return [{ section, isFixed: false, forms: [briefRow(row, unit), fullRow(row, unit)] }];
  };
  const fixed = fixedEntries(view);
  for (const row of [view.start, ...(view.frontier === null ? [] : [view.frontier])]) seen.add(row.trial);
  return [
    ...fixed,
    ...view.running.map((one) => lineEntry('running', runningText(one))),
    ...view.notes.map((note) => lineEntry('notes', noteText(note))),
    ...inTurn(view).flatMap(([section, row]) => rowEntry(row, section)),
    ...view.failures.slice(0, MOST_GROUPS).map((group) => lineEntry('failures', failureText(group))),
    ...view.directions.slice(0, MOST_GROUPS).map((one) => lineEntry('directions', directionText(one))),
  ];
}

const MOST_GROUPS = 12;
const NOTE = 1500;
const LINE = 300;

function fixedEntries({ start, frontier, metric: { unit } }: LineageView): Entry[] {
  const forms = (row: SeenRow): string[] => [headOf(row, unit), briefRow(row, unit), fullRow(row, unit)];
  if (frontier === null) return [{ section: 'start', isFixed: true, forms: forms(start) }];
  const [head, brief, full] = forms(frontier);
  const own = [head ?? '', brief ?? '', full ?? '', frontierText(frontier, unit)];
  const same = `trial ${start.trial}, which is the frontier`;
  return [
    { section: 'frontier', isFixed: true, forms: own },
    { section: 'start', isFixed: true, forms: start.trial === frontier.trial ? [same] : forms(start) },
  ];
}

/** The frontier with sizes, seconds, report and the diff of its last step. */
function frontierText(row: FrontierRow, unit: string): string {
  const { sizes, phases, report, diff } = row;
  return [
    briefRow(row, unit),
    ...quoted([...(sizes === null ? [] : [sizeText(sizes)]), ...phasesText(phases)]),
    ...gateLines(row),
    ...lessonLines(row),
    ...(report.length === 0
      ? []
      : ['  evaluator (in brackets: change against its parent):', ...quoted(quoted(report))]),
    ...(diff.length === 0 ? [] : ['  diff against its parent:', ...quoted(quoted(diff))]),
  ].join('\n');
}

/** The rows of all lists, the heads of the lists in turn. */
function inTurn({ own, nearMisses, chain, neighbours }: LineageView): [Section, SeenRow][] {
  const lists: [Section, SeenRow[]][] = [
    ['own', own],
    ['nearMisses', nearMisses],
    ['chain', chain],
    ['neighbours', neighbours],
  ];
  const longest = Math.max(...lists.map(([, rows]) => rows.length));
  return Array.from({ length: longest }, (_, at) =>
    lists.flatMap(([section, rows]): [Section, SeenRow][] => {
      const row = rows[at];
      return row === undefined ? [] : [[section, row]];
    }),
  ).flat();
}

const lineEntry = (section: Section, text: string): Entry => ({ section, isFixed: false, forms: [text] });

const runningText = ({ trial, role, stage, hypothesis }: LineageView['running'][number]): string =>
  `- trial ${trial} of ${clip(role, 48)} (${stage}): ${clip(hypothesis, LINE)}`;

const noteText = ({ session, text }: LineageView['notes'][number]): string =>
  `- ${clip(session, 80)}: ${clip(text, NOTE)}`;

function failureText({ status, phase, trials, lesson }: FailureGroup): string {
  const place = phase === null ? '' : ` in ${phase}`;
  return `- ${status}${place}: ${trialsText(trials)}; the newest: ${clip(lesson, LINE)}`;
}

function directionText({ name, trials, kept, sinceKept }: Direction): string {
  const title = clip(name, 160);
  if (trials.length === 0) return `- ${title}: nothing tried`;
  const since = kept > 0 && sinceKept > 0 ? `, none of the newest ${sinceKept}` : '';
  return `- ${title}: ${trialsText(trials)}; ${kept} kept${since}`;
}

const MOST_NUMBERS = 8;

/** `4 trials (19, 16, 12, 3)`. */
function trialsText(trials: readonly number[]): string {
  const more = trials.length > MOST_NUMBERS ? ', …' : '';
  return `${trials.length} trial${trials.length === 1 ? '' : 's'} (${trials.slice(0, MOST_NUMBERS).join(', ')}${more})`;
}
