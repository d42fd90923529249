import { isFailure } from './outcomes.js';
import { groupBy, type Ending, type TrajectoryTrial } from './trajectory.js';

export interface AcceleratorTime {
  totalMs: number;
  /** Time of trials that failed, or missed a gate or a budget. */
  lostMs: number;
  /** Time that reuse and early stops made unnecessary; not in the total. */
  savedMs: number;
  /** Trials whose source tells their time. */
  trials: number;
  byEnding: { ending: Ending; trials: number; ms: number }[];
}

/** Adds up the accelerator time of trials by how they ended; null where the source tells none. */
export function acceleratorTime(trials: readonly TrajectoryTrial[]): AcceleratorTime | null {
  const known = trials.flatMap(({ ending, costs: { acceleratorMs } }) =>
    acceleratorMs === null ? [] : [{ ending, ms: acceleratorMs }],
  );
  if (known.length === 0) return null;
  const sum = (rows: readonly { ms: number }[]): number => rows.reduce((total, { ms }) => total + ms, 0);
  return {
    totalMs: sum(known),
    lostMs: sum(known.filter(({ ending }) => isFailure(ending))),
    savedMs: trials.reduce((total, { costs }) => total + (costs.savedMs ?? 0), 0),
    trials: known.length,
    byEnding: [...groupBy(known, ({ ending }) => ending)]
      .map(([ending, own]) => ({ ending, trials: own.length, ms: sum(own) }))
      .sort((a, b) => b.ms - a.ms),
  };
}
