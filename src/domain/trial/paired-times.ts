import { definedFields } from '../defined-fields.js';
import { TIME_RATIO, type Task } from '../task/task.js';

/** Times of one process, and of the start beside it, in milliseconds. */
export interface PairedTime {
  wallMs: number;
  /** Null where times are not compared. */
  startMs: number | null;
  /** Time for which it had the revealed inputs; null where none were revealed to it. */
  revealMs?: number | null | undefined;
}

/** Metric of the longest time in seconds for which a process had the revealed inputs. */
export const REVEAL_S = 'reveal_s';

const revealSeconds = (times: readonly PairedTime[]): number | undefined => {
  const known = times.flatMap(({ revealMs }) => revealMs ?? []);
  return known.length === 0 ? undefined : Math.max(...known) / 1000;
};

/** A mean with its standard error; null where a single value tells none. */
export interface Estimate {
  value: number;
  error: number | null;
}

/** The time of a training in seconds, as the task aggregates its processes. */
export function trainSeconds(
  { aggregate }: Pick<Task['replicate'], 'aggregate'>,
  times: readonly Pick<PairedTime, 'wallMs'>[],
): Estimate {
  const seconds = times.map(({ wallMs }) => wallMs / 1000);
  const { value, error } = meanOf(seconds);
  return aggregate === 'mean' ? { value, error } : { value: medianOf(seconds), error };
}

/**
 * The ratio of a training's time to that of the start: exp of the mean over its pairs of log(time / time of the start).
 * Its error is that of the mean of the logarithms, which is relative. Null where some process has no pair.
 */
export function timeRatio(times: readonly PairedTime[]): Estimate | null {
  const logs = times.flatMap(({ wallMs, startMs }) => (startMs === null ? [] : [Math.log(wallMs / startMs)]));
  if (logs.length === 0 || logs.length < times.length) return null;
  const [only] = times;
  if (times.length === 1 && only?.startMs != null) return { value: only.wallMs / only.startMs, error: null };
  const { value, error } = meanOf(logs);
  return { value: Math.exp(value), error };
}

/** Times of a training by the harness's clock, as metrics, with their standard errors where several processes tell one. */
export interface MeasuredTimes {
  metrics: Record<string, number>;
  errors: Record<string, number>;
}

/** Takes the times of a training from those of its processes. */
export function measuredTimes(
  replicate: Pick<Task['replicate'], 'aggregate'>,
  times: readonly PairedTime[],
): MeasuredTimes {
  const seconds = trainSeconds(replicate, times);
  const ratio = timeRatio(times);
  const relative = ratio?.error ?? null;
  return {
    metrics: {
      train_s: seconds.value,
      ...definedFields({ [TIME_RATIO]: ratio?.value, [REVEAL_S]: revealSeconds(times) }),
    },
    errors: definedErrors({
      train_s: seconds.error,
      [TIME_RATIO]: relative === null || ratio === null ? null : relative * ratio.value,
    }),
  };
}

const definedErrors = (errors: Record<string, number | null>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(errors).flatMap(([name, error]) => (error === null ? [] : [[name, error]])),
  );

/** The run of each process that counts: the last where one is repeated. */
export function trainingRuns<R extends { phase: string; repeated: boolean; process: number | null }>(
  runs: readonly R[],
): R[] {
  const counted = new Map<number | null, R>();
  for (const run of runs) if (run.phase === 'train' && !run.repeated) counted.set(run.process, run);
  return [...counted.values()];
}

function meanOf(values: readonly number[]): Estimate {
  const value = values.reduce((sum, one) => sum + one, 0) / Math.max(values.length, 1);
  if (values.length < 2) return { value, error: null };
  const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
  return { value, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return ((low ?? 0) + (high ?? 0)) / 2;
}
