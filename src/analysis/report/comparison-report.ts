import { AssayError } from '../../domain/errors.js';
import { bestSoFar } from '../trajectory/best-so-far.js';
import type { Trajectory } from '../trajectory/trajectory.js';
import { list, table, text, type CoursesFigure, type ReportDocument, type Section } from './blocks.js';
import { count, dollars, hours, NONE, number, percent, score, signed } from './format.js';
import { verdictCounts } from './noise-sections.js';
import { WINDOW, type RunFacts } from './run-facts.js';

/** One search of a comparison. */
export interface ComparedRun {
  trajectory: Trajectory;
  facts: RunFacts;
  /** Claim with its interval, or the reason why nothing is claimed. */
  claimed: string;
}

/** Searches that have a colour of their own. */
export const MOST_COMPARED = 8;

/**
 * Report on several searches side by side.
 * @throws AssayError USAGE where they are not ranked by the same metric, or are too many
 */
export function comparisonReport(runs: readonly ComparedRun[]): ReportDocument {
  const [first] = runs;
  if (first === undefined || runs.length > MOST_COMPARED)
    throw new AssayError('USAGE', `2 to ${MOST_COMPARED} searches can be compared, not ${runs.length}`);
  const { metric } = first.trajectory;
  for (const { trajectory } of runs)
    if (trajectory.metric.name !== metric.name || trajectory.metric.direction !== metric.direction)
      throw new AssayError(
        'USAGE',
        `${trajectory.name} is ranked by ${trajectory.metric.name} and ${first.trajectory.name} by ${metric.name}: they cannot be compared`,
      );
  return {
    title: 'Comparison',
    subtitle: `${runs.map(({ trajectory }) => trajectory.name).join(', ')} side by side, ranked by ${metric.name}, which is ${metric.direction}d.`,
    sections: [claims(runs), courses(runs), worth(runs), proposals(runs)],
  };
}

function claims(runs: readonly ComparedRun[]): Section {
  return {
    title: 'In short',
    blocks: [
      list(runs.map(({ trajectory, claimed }) => `${trajectory.name} claims: ${claimed}`)),
      text(
        'Each search is one draw of its way of searching. With one search of each kind, a difference between them is what happened, and not an effect: that takes several searches of each.',
      ),
    ],
  };
}

/** Rows by what is compared, with a column for each search. */
function sideBySide(
  runs: readonly ComparedRun[],
  rows: readonly (readonly [string, (run: ComparedRun) => string])[],
) {
  const columns = ['', ...runs.map(({ trajectory }) => `>${trajectory.name}`)];
  return table(
    columns,
    rows.map(([name, value]) => [name, ...runs.map(value)]),
  );
}

function courses(runs: readonly ComparedRun[]): Section {
  const [first] = runs;
  const metric = first?.trajectory.metric ?? { name: '', unit: '', direction: 'minimize' as const };
  const figure: CoursesFigure = {
    kind: 'courses',
    metric: metric.name,
    unit: metric.unit,
    courses: runs.map(({ trajectory }) => ({
      name: trajectory.name,
      last: trajectory.trials.at(-1)?.number ?? 0,
      best: bestSoFar(trajectory).map(({ number: trial, score: value }) => ({ number: trial, score: value })),
    })),
  };
  return {
    title: 'How they went',
    blocks: [
      { kind: 'figure', figure, caption: 'Best score over the submitted trials, valid ones only.' },
      sideBySide(runs, [
        ['trials', ({ facts }) => count(facts.outcomes.trials)],
        ['adopted', ({ facts }) => count(facts.outcomes.keeps)],
        ['valid, not adopted', ({ facts }) => count(facts.outcomes.validNonImprovements)],
        ['start', ({ facts }) => score(facts.improvement?.start)],
        ['best adopted', ({ facts }) => score(facts.improvement?.best.score)],
        ['gain', ({ facts }) => signed(facts.improvement?.gain ?? null)],
        ['gain, of the start', ({ facts }) => percent(facts.improvement?.relative ?? null)],
        ['trials an hour', ({ facts }) => number(facts.throughput.all?.rate)],
        [
          'accelerator time',
          ({ facts }) => (facts.accelerators === null ? NONE : hours(facts.accelerators.totalMs)),
        ],
        ['of it lost', ({ facts }) => lostText(facts)],
        ['money', ({ trajectory }) => moneyText(trajectory)],
      ]),
    ],
  };
}

function lostText({ accelerators }: RunFacts): string {
  return accelerators === null || accelerators.totalMs === 0
    ? NONE
    : percent(accelerators.lostMs / accelerators.totalMs);
}

function moneyText({ trials }: Trajectory): string {
  const known = trials.flatMap(({ costs }) => costs.microUsd ?? []);
  return known.length === 0 ? NONE : dollars(known.reduce((sum, value) => sum + value, 0));
}

function worth(runs: readonly ComparedRun[]): Section {
  return {
    title: 'What the gains are worth',
    blocks: [
      text(
        'Adoptions held against the noise of a run and against selection, as in the report on one search.',
      ),
      sideBySide(runs, [
        ['noise of a run', ({ facts }) => number(facts.noise?.sd)],
        ['adoptions', ({ facts }) => count(facts.steps.length)],
        ['of them clear', ({ facts }) => count(verdictCounts(facts).clear)],
        ['best of equal draws alone', ({ facts }) => signed(facts.selection?.expected ?? null)],
      ]),
    ],
  };
}

function proposals(runs: readonly ComparedRun[]): Section {
  const share = ({ facts: { edges } }: ComparedRun): string =>
    percent(edges.all.all.edges === 0 ? null : edges.all.all.across / edges.all.all.edges);
  return {
    title: 'What was proposed',
    blocks: [
      text(`Clusters are of the first ${WINDOW} proposals, so that searches of other lengths compare.`),
      sideBySide(runs, [
        ['effective clusters', ({ facts }) => number(facts.proposals.window.effective)],
        ['largest cluster', ({ facts }) => count(facts.proposals.window.largest)],
        ['near duplicates', ({ facts }) => percent(facts.proposals.window.nearDuplicateRate)],
        ['parents of another role', share],
        ['architecture', ({ facts }) => count(facts.architecture.submissions)],
      ]),
    ],
  };
}
