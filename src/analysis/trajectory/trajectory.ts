import type { Measure } from '../../domain/task/task.js';
import type { EditKind } from '../../domain/trial/edit-kind.js';
import { TRIAL_STATUSES, type TrialStatus } from '../../domain/statuses.js';

/**
 * Endings of a trial: the statuses of assay, and two that only other sources have: a fault of the infrastructure
 * that was counted as a trial, and a trial that has not ended.
 */
export const ENDINGS = [...TRIAL_STATUSES, 'infrastructure', 'running'] as const;
export type Ending = TrialStatus | 'infrastructure' | 'running';

/** Durations of a trial in milliseconds; null where the source does not tell. */
export interface TrialTimes {
  queueMs: number | null;
  trainMs: number | null;
  evaluateMs: number | null;
  /** From submit to the end, or of the whole job. */
  totalMs: number | null;
}

/** Spending on a trial; null where the source does not tell. */
export interface TrialCosts {
  microUsd: number | null;
  acceleratorMs: number | null;
  /** Accelerator time that reuse and early stops made unnecessary. */
  savedMs: number | null;
}

/** One proposal, in the words that a stored campaign and an imported archive have in common. */
export interface TrajectoryTrial {
  /** Its name at the source: `t00007`, `007`, a commit. */
  id: string;
  /** Place in the order of the source, from 1; the start is 0. */
  number: number;
  role: string;
  /** Domain that the edit is of, recorded apart from the role. */
  domain: string | null;
  /** Nature of the edit; null where it is not known. */
  edit: EditKind | null;
  /** Model that proposed it. */
  model: string | null;
  ending: Ending;
  /** Phase that it failed in; null where it did not fail, or the source does not tell. */
  stage: string | null;
  /** Reason for its ending in a line; empty where the source gives none. */
  cause: string;
  /** In the metric's unit; a trial that missed a gate may have one too. */
  score: number | null;
  /** Score of each of its measurements, in their order. */
  runs: number[];
  /** Everything else that was measured of its quality. */
  metrics: Readonly<Record<string, number>>;
  artifactBytes: number | null;
  /** Number of the trial that it was made from. */
  parent: number | null;
  hypothesis: string;
  /** Change of the metric that its proposer expected. */
  expectedDelta: number | null;
  /** Gain that the decision which adopted it believed in; null where it was not adopted, or nobody estimated it. */
  believedGain: number | null;
  startedAt: number | null;
  endedAt: number | null;
  times: TrialTimes;
  costs: TrialCosts;
}

/** Run-to-run noise of a score as it was measured, with its degrees of freedom. */
export interface MeasuredNoise {
  sd: number;
  degrees: number;
}

/** Calls of one tool by one role. */
export interface ToolCalls {
  role: string;
  tool: string;
  calls: number;
  /** Those that were answered with an error. */
  errors: number;
}

/** One search as a sequence of measured proposals: what every analysis reads. */
export interface Trajectory {
  name: string;
  source: 'campaign' | 'archive';
  metric: Measure;
  start: TrajectoryTrial | null;
  /** In the order of the source, without the start. */
  trials: TrajectoryTrial[];
  /** Noise from repeated measurements; null where nothing was measured twice. */
  noise: MeasuredNoise | null;
  /** Empty where the source does not tell. */
  toolCalls: ToolCalls[];
  /** Documents of the source that could not be read, and are in no figure. */
  unread: { what: string; why: string }[];
}

/** True for a trial that was measured and met every gate: an improvement or a valid non-improvement. */
export function isValid(trial: TrajectoryTrial): trial is TrajectoryTrial & { score: number } {
  return (trial.ending === 'keep' || trial.ending === 'discard') && trial.score !== null;
}

/** Advance from one score to another: positive where the second is better. */
export function gainFrom(direction: Measure['direction'], before: number, after: number): number {
  return direction === 'minimize' ? before - after : after - before;
}

/** Finds trials and the start by number. */
export function byNumber({ start, trials }: Trajectory): ReadonlyMap<number, TrajectoryTrial> {
  return new Map([...(start === null ? [] : [start]), ...trials].map((trial) => [trial.number, trial]));
}

/** Groups in the order of their first member. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const own = groups.get(key);
    if (own === undefined) groups.set(key, [item]);
    else own.push(item);
  }
  return groups;
}
