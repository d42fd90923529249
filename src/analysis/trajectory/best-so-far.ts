import { gainFrom, isValid, type Trajectory } from './trajectory.js';

export interface BestPoint {
  /** Number of the trial; 0 for the start. */
  number: number;
  id: string;
  score: number;
  endedAt: number | null;
}

/**
 * Steps of the best score over the submitted trials. Only valid measured trials count, improvements or not; those that
 * missed a gate are left out (arXiv 2605.05724, section 4.1).
 */
export function bestSoFar({ metric, start, trials }: Trajectory): BestPoint[] {
  const points: BestPoint[] = [];
  const measured = start !== null && start.score !== null ? [{ ...start, score: start.score }] : [];
  for (const { number, id, score, endedAt } of [...measured, ...trials.filter(isValid)]) {
    const best = points.at(-1);
    if (best === undefined || gainFrom(metric.direction, best.score, score) > 0)
      points.push({ number, id, score, endedAt });
  }
  return points;
}

/** Advance from the start to the best adopted trial. */
export interface Improvement {
  start: number;
  best: { id: string; score: number };
  /** Gain in the metric's unit, positive where it is one. */
  gain: number;
  /** Gain as a share of the start's score; null where that is 0. */
  relative: number | null;
}

/** Advance to the best kept trial; null where nothing was kept or the start has no score. */
export function improvement({ metric, start, trials }: Trajectory): Improvement | null {
  const from = start?.score ?? null;
  const kept = trials.filter(({ ending }) => ending === 'keep').filter(isValid);
  const [first, ...others] = kept;
  if (first === undefined || from === null) return null;
  const best = others.reduce(
    (top, trial) => (gainFrom(metric.direction, top.score, trial.score) > 0 ? trial : top),
    first,
  );
  const gain = gainFrom(metric.direction, from, best.score);
  return {
    start: from,
    best: { id: best.id, score: best.score },
    gain,
    relative: from === 0 ? null : gain / Math.abs(from),
  };
}
