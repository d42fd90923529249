import { markedName } from '../domain/task/marked-name.js';
import type { LineageView, TrialRow } from '../domain/session/view.js';
import { trialStatusSchema, type TrialStatus } from '../domain/statuses.js';
import { amount, believedText, marginText, oneLine, signed, withUnit } from './answers.js';

/** The smallest budget that start and frontier need; a smaller one is raised to it. */
export const MIN_VIEW_TOKENS = 300;
/** Estimate that budgets rely on. */
export const CHARS_PER_TOKEN = 4;

interface Entry {
  row: TrialRow;
  section: number;
  brief: string;
  full: string;
}

const SECTIONS = [
  'Start',
  'Frontier (what the search builds on)',
  'Adopted before it, newest first',
  "Your role's recent trials, newest first",
  "Other roles' recent trials, newest first",
  'Near misses: better than the frontier, stopped by a gate',
];

/**
 * The lineage as text for a model, newest first, within a budget of tokens (estimated at four characters each, and
 * raised to MIN_VIEW_TOKENS where it is smaller). Start and frontier are always there; of the others, the most useful
 * rows come first in the choice, and first in being shown in full.
 */
export function renderView(view: LineageView, tokenBudget: number): string {
  const budget = Math.max(MIN_VIEW_TOKENS, Math.floor(tokenBudget)) * CHARS_PER_TOKEN;
  const entries = entriesOf(view);
  const chosen = new Map<Entry, string>();
  const length = new ViewLength(view, entries.length);
  for (const style of ['brief', 'full'] as const) {
    for (const entry of entries) {
      const before = chosen.get(entry);
      if (style === 'full' && before === undefined) continue;
      length.replace(entry.section, before, entry[style]);
      if (length.characters <= budget || (entry.section <= 1 && style === 'brief'))
        chosen.set(entry, entry[style]);
      else length.replace(entry.section, entry[style], before);
    }
  }
  return compose(view, entries, chosen);
}

/** Counts the characters that `compose` would come to, so that each choice costs the same however many rows there are. */
class ViewLength {
  readonly #head: number;
  readonly #same: number;
  readonly #counts = SECTIONS.map(() => 0);
  #rows = 0;

  constructor(
    view: LineageView,
    readonly entries: number,
  ) {
    this.#head = headLine(view).length;
    this.#same = view.start.trial === view.frontier.trial ? sameLine(view).length + 1 : 0;
  }

  /** Takes a row out of a section, where there is one, and puts another in. */
  replace(section: number, before: string | undefined, after: string | undefined): void {
    for (const [row, sign] of [
      [before, -1],
      [after, 1],
    ] as const) {
      if (row === undefined) continue;
      this.#counts[section] = (this.#counts[section] ?? 0) + sign;
      this.#rows += sign * (row.length + 1);
    }
  }

  get characters(): number {
    const sections = SECTIONS.map((title, at) => {
      const has = (this.#counts[at] ?? 0) > 0;
      if (has) return titleLine(title).length + 2;
      return at === 0 && this.#same > 0 ? titleLine(title).length + 2 + this.#same : 0;
    });
    const dropped = this.entries - this.#counts.reduce((sum, count) => sum + count, 0);
    const note = dropped > 0 ? droppedLine(dropped).length + 2 : 0;
    return this.#head + this.#rows + note + sections.reduce((sum, size) => sum + size, 0);
  }
}

/** Every row once, the most useful first: frontier, start, then the heads of the lists in turn. */
function entriesOf(view: LineageView): Entry[] {
  const unit = view.metric.unit;
  const seen = new Set<number>();
  const entry = (row: TrialRow, section: number): Entry[] => {
    if (seen.has(row.trial)) return [];
    seen.add(row.trial);
    return [{ row, section, brief: briefRow(row, unit), full: fullRow(row, unit) }];
  };
  const entries = [...entry(view.frontier, 1), ...entry(view.start, 0)];
  const lists: [number, TrialRow[]][] = [
    [3, view.own],
    [5, view.nearMisses],
    [2, view.chain],
    [4, view.neighbours],
  ];
  const longest = Math.max(...lists.map(([, rows]) => rows.length));
  for (let index = 0; index < longest; index++) {
    for (const [section, rows] of lists) {
      const row = rows[index];
      if (row !== undefined) entries.push(...entry(row, section));
    }
  }
  return entries;
}

function compose(view: LineageView, entries: readonly Entry[], chosen: ReadonlyMap<Entry, string>): string {
  const lines = [headLine(view)];
  for (const [section, title] of SECTIONS.entries()) {
    const rows = entries
      .filter((entry) => entry.section === section)
      .flatMap((entry) => chosen.get(entry) ?? []);
    const same = section === 0 && view.start.trial === view.frontier.trial;
    if (rows.length > 0) lines.push('', titleLine(title), ...rows);
    else if (same) lines.push('', titleLine(title), sameLine(view));
  }
  const dropped = entries.length - chosen.size;
  if (dropped > 0) lines.push('', droppedLine(dropped));
  return lines.join('\n');
}

function headLine({ campaign, metric, trialsLeft }: LineageView): string {
  const better = metric.direction === 'minimize' ? 'lower' : 'higher';
  const limit = metric.limit === undefined ? '' : `, limit ${amount(metric.limit)}`;
  const left = trialsLeft === null ? 'not limited' : String(trialsLeft);
  return `Campaign ${clip(campaign, 80)}: ${clip(markedName(metric), 90)} in ${clip(metric.unit, 40)}, ${better} is better${limit}. Trials left: ${left}.`;
}

const titleLine = (title: string): string => `## ${title}`;
const sameLine = ({ start }: LineageView): string => `trial ${start.trial}, which is the frontier`;
const droppedLine = (dropped: number): string => `(${dropped} more; the lineage tool shows them)`;

function headOf(row: TrialRow, unit: string): string {
  const parent = row.parent === null ? '' : `, parent ${row.parent}`;
  const score = row.score === null ? '' : `, score ${withUnit(row.score, clip(unit, 40))}`;
  const believed = row.score === null || row.believed === null ? '' : ` (${believedText(row.believed)})`;
  const delta = row.delta === null ? '' : `, delta ${signed(row.delta)}`;
  const labels = row.labels.map((label) => `, ${label}`).join('');
  return `trial ${row.trial} [${clip(row.role, 48).replace(/[[\]]/g, '')}] ${row.status ?? 'running'}${parent}${score}${believed}${delta}${labels}`;
}

function briefRow(row: TrialRow, unit: string): string {
  return `${headOf(row, unit)}: ${clip(row.hypothesis, 100)}`;
}

function fullRow(row: TrialRow, unit: string): string {
  const changes = row.changes.split('\n').filter((line) => /^[-+]/.test(line));
  return [
    `${headOf(row, unit)}: ${clip(row.hypothesis, 400)}`,
    ...row.margins.map((margin) => `  gate ${clip(marginText(margin), 160)}`),
    ...(changes.length === 0 ? [] : ['  changes:', ...changes.map((line) => `    ${clip(line, 200)}`)]),
    ...(row.lesson.trim() === '' ? [] : [`  lesson: ${clip(row.lesson, 300)}`]),
  ].join('\n');
}

/** Rows in full, as the lineage tools answer them. */
export function renderRows(rows: readonly TrialRow[], metric: Pick<LineageView['metric'], 'unit'>): string {
  return rows.map((row) => fullRow(row, metric.unit)).join('\n');
}

/** White space in a row that is still read past, as a multiple of what is shown. */
const READ = 10;

/** One line of at most so many characters: text of agents must not pass for lines of the view. */
function clip(text: string, most: number): string {
  const line = oneLine(text.slice(0, READ * most));
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}

/** Facts that can be read back from a rendered view. */
export interface ViewReading {
  direction: 'minimize' | 'maximize';
  trialsLeft: number | null;
  frontier: number | null;
  rows: RowReading[];
}
export interface RowReading {
  trial: number;
  status: TrialStatus | null;
  parent: number | null;
  score: number | null;
  delta: number | null;
  hypothesis: string;
  /** Lines "-old" and "+new"; empty where the row was shown in brief. */
  changes: string[];
}

/** The first line of a row is shorter; the expression below may try every place of a longer one with every other. */
const LONGEST_ROW = 2000;
const HEAD =
  /^trial (\d+) \[[^\]]*\] ([a-z_]+)(?:, parent (\d+))?(?:, score (\S+).*?)?(?:, delta (\S+?))?(?:, seed-[a-z]+)*(?:: (.*)|$)/;

/** Reads a view that `renderView` wrote, wherever it stands in a text; null where there is none. */
export function readView(text: string): ViewReading | null {
  const head = /^Campaign .*, (lower|higher) is better.*\. Trials left: (\d+|not limited)\.$/m.exec(text);
  if (!head) return null;
  const rows: RowReading[] = [];
  let frontier: number | null = null;
  let section = '';
  for (const line of text.slice(head.index).split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3);
    const match = line.length > LONGEST_ROW ? null : HEAD.exec(line);
    if (match) {
      const status = trialStatusSchema.safeParse(match[2]);
      rows.push({
        trial: Number(match[1]),
        status: status.success ? status.data : null,
        parent: numberOr(match[3]),
        score: numberOr(match[4]),
        delta: numberOr(match[5]),
        hypothesis: match[6] ?? '',
        changes: [],
      });
      if (section === SECTIONS[1]) frontier ??= Number(match[1]);
    } else if (/^ {4}[-+]/.test(line)) {
      rows.at(-1)?.changes.push(line.slice(4));
    }
  }
  return {
    direction: head[1] === 'lower' ? 'minimize' : 'maximize',
    trialsLeft: numberOr(head[2]),
    frontier,
    rows,
  };
}

function numberOr(text: string | undefined): number | null {
  const value = text === undefined ? NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
