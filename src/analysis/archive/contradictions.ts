import type { ArchiveRun, Contradiction } from './archive-run.js';
import {
  byNumber,
  gainFrom,
  isValid,
  type Ending,
  type Trajectory,
  type TrajectoryTrial,
} from '../trajectory/trajectory.js';

/** Lists what a table says that contradicts itself, each kind once with its count. */
export function contradictions(run: ArchiveRun): Contradiction[] {
  return [
    ...sameIds(run),
    ...parents(run),
    ...order(run.trajectory),
    ...deltas(run),
    ...keeps(run.trajectory),
    ...limits(run.trajectory),
  ];
}

/** A contradiction, where any trial shows it. */
export function contradiction(
  kind: Contradiction['kind'],
  text: string,
  ids: readonly string[],
): Contradiction[] {
  return ids.length === 0 ? [] : [{ kind, text, count: ids.length, examples: ids.slice(0, 3) }];
}

const idsOf = (trials: readonly TrajectoryTrial[]): string[] => trials.map(({ id }) => id);

function sameIds({ trajectory: { trials } }: ArchiveRun): Contradiction[] {
  const seen = new Set<string>();
  const again = trials.filter(({ id }) => seen.size === seen.add(id).size);
  return contradiction('id', 'rows with the id of an earlier row', idsOf(again));
}

function parents({ trajectory, recorded }: ArchiveRun): Contradiction[] {
  const trials = byNumber(trajectory);
  const edges = trajectory.trials.map((trial) => ({
    trial,
    parent: trial.parent === null ? undefined : trials.get(trial.parent),
  }));
  const lost = edges.filter(
    ({ trial, parent }) => parent === undefined && recorded.get(trial.number)?.parentId !== '',
  );
  const later = edges.filter(({ trial, parent }) => parent !== undefined && parent.number >= trial.number);
  const tooLate = edges.filter(
    ({ trial, parent }) =>
      parent !== undefined &&
      parent.number < trial.number &&
      parent.number !== 0 &&
      trial.startedAt !== null &&
      (parent.endedAt ?? -Infinity) > trial.startedAt,
  );
  const ids = (some: typeof edges): string[] => some.map(({ trial }) => trial.id);
  return [
    ...contradiction('parent', 'trials whose parent is not in the table', ids(lost)),
    ...contradiction('parent-order', 'trials whose parent is not earlier than they are', ids(later)),
    ...contradiction(
      'parent-time',
      'trials that began, by their own duration, before the result of their parent was there',
      ids(tooLate),
    ),
  ];
}

function order({ trials }: Trajectory): Contradiction[] {
  let latest = -Infinity;
  const back = trials.filter(({ endedAt }) => {
    const before = endedAt !== null && endedAt < latest;
    latest = Math.max(latest, endedAt ?? -Infinity);
    return before;
  });
  return contradiction('order', 'trials that ended before a trial above them in the table', idsOf(back));
}

/** Half a unit of the sixth decimal, in which differences are written, and a little for their arithmetic. */
const DELTA_TOLERANCE = 6e-7;

/** Differences to the best so far that are not those of the scores. */
function deltas({ trajectory, recorded }: ArchiveRun): Contradiction[] {
  const { direction } = trajectory.metric;
  let best = trajectory.start?.score ?? null;
  const wrong: string[] = [];
  for (const trial of trajectory.trials) {
    const delta = recorded.get(trial.number)?.delta ?? null;
    if (delta !== null && best !== null && trial.score !== null)
      if (Math.abs(trial.score - best - delta) > DELTA_TOLERANCE) wrong.push(trial.id);
    if (trial.ending === 'keep' && trial.score !== null)
      if (best === null || gainFrom(direction, best, trial.score) > 0) best = trial.score;
  }
  return contradiction(
    'delta',
    'recorded differences to the best that are not those of the recorded scores',
    wrong,
  );
}

/** Verdicts that are not those of the rule "better than the best so far". */
function keeps({ metric: { direction }, start, trials }: Trajectory): Contradiction[] {
  let best = start?.score ?? null;
  const notBetter: string[] = [];
  const passedOver: string[] = [];
  for (const trial of trials.filter(isValid)) {
    const better = best === null || gainFrom(direction, best, trial.score) > 0;
    if (trial.ending === 'keep' && !better) notBetter.push(trial.id);
    if (trial.ending === 'discard' && better) passedOver.push(trial.id);
    if (trial.ending === 'keep' && better) best = trial.score;
  }
  return [
    ...contradiction('keep', 'kept trials that are no better than the best before them', notBetter),
    ...contradiction('keep', 'discarded trials that are better than the best before them', passedOver),
  ];
}

interface Limit {
  ending: Ending;
  what: string;
  of: (trial: TrajectoryTrial) => number | null;
}

/** Endings that a limit on a number causes. */
const LIMITS: readonly Limit[] = [
  { ending: 'size_blocked', what: 'artifact', of: ({ artifactBytes }) => artifactBytes },
  { ending: 'train_budget_overrun', what: 'training time', of: ({ times }) => times.trainMs },
  { ending: 'eval_budget_overrun', what: 'evaluation time', of: ({ times }) => times.evaluateMs },
];

/** Valid trials above a value that others were stopped for: the limit was not the same for all. */
function limits({ trials }: Trajectory): Contradiction[] {
  return LIMITS.flatMap(({ ending, what, of }) => {
    const stopped = trials.flatMap((trial) => (trial.ending === ending ? (of(trial) ?? []) : []));
    const least = stopped.reduce((low, value) => Math.min(low, value), Infinity);
    const above = trials.filter((trial) => isValid(trial) && (of(trial) ?? -Infinity) > least);
    return contradiction(
      'limit',
      `valid trials with a larger ${what} than the smallest that was ${ending}`,
      idsOf(above),
    );
  });
}
