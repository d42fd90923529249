import { median } from '../noise/quantile.js';
import type { TrajectoryTrial } from './trajectory.js';

/** One part of the time of trials. */
export interface TimePart {
  part: 'queue' | 'training' | 'evaluation' | 'everything else';
  /** Trials whose source tells it. */
  trials: number;
  totalMs: number;
  medianMs: number;
}

/**
 * Divides the time of trials into queue, run, evaluation and the rest, which is logging and set-up (arXiv 2605.05724,
 * section 3.4). The rest is told only of trials whose whole time and training time are known; parts that nobody
 * measured are left out.
 */
export function trialTime(trials: readonly TrajectoryTrial[]): TimePart[] {
  const values: [TimePart['part'], (number | null)[]][] = [
    ['queue', trials.map(({ times }) => times.queueMs)],
    ['training', trials.map(({ times }) => times.trainMs)],
    ['evaluation', trials.map(({ times }) => times.evaluateMs)],
    ['everything else', trials.map(restOf)],
  ];
  return values.flatMap(([part, all]) => {
    const known = all.filter((value) => value !== null);
    if (known.length === 0) return [];
    const totalMs = known.reduce((sum, value) => sum + value, 0);
    return [{ part, trials: known.length, totalMs, medianMs: median(known) }];
  });
}

function restOf({ times: { queueMs, trainMs, evaluateMs, totalMs } }: TrajectoryTrial): number | null {
  if (totalMs === null || trainMs === null) return null;
  return Math.max(0, totalMs - (queueMs ?? 0) - trainMs - (evaluateMs ?? 0));
}
