import { median } from './quantile.js';
import { expectedBest } from './best-of-n.js';
import { gainFrom, isValid, type Trajectory, type TrajectoryTrial } from '../trajectory/trajectory.js';

/** Trials that another, quieter metric cannot tell apart, and how far their scores differ all the same. */
export interface Plateau {
  /** Metric by which they are equal, its commonest value, and how near to it a value has to be. */
  metric: string;
  value: number;
  tolerance: number;
  ids: string[];
  /** Their scores, in the same order. */
  scores: number[];
  /** Trials as near, but with a score that is no draw of the same. */
  outliers: string[];
  mean: number;
  sd: number;
  best: { id: string; score: number };
  /** Mean of the best of that many equal draws: what selection alone brings. */
  expectedBest: number;
  /** The best's distance from the mean, in standard deviations; and that of the expected best. */
  sds: number;
  expectedSds: number;
}

interface Point {
  trial: TrajectoryTrial & { score: number };
  value: number;
}

/** Fewer trials are no plateau. */
const FEWEST = 20;
/** Digits in which values are compared, and units of the last of them within which they count as equal. */
const DIGITS = 4;
const UNITS = 3;
/** Scores further from the median than this many robust standard deviations are left out. */
const OUTLIER = 6;

/**
 * Finds the largest plateau of a search: valid trials whose value of another metric is within three units, in the fourth
 * digit, of its commonest value. Their scores differ by noise, so the best of them is a maximum over equal draws. Null
 * where no other metric was measured, or too few trials are that near.
 */
export function findPlateau(trajectory: Trajectory): Plateau | null {
  const valid = trajectory.trials.filter(isValid);
  const names = new Set(valid.flatMap(({ metrics }) => Object.keys(metrics)));
  names.delete(trajectory.metric.name);
  const found = [...names].flatMap((name) => {
    const points = valid.flatMap((trial) => {
      const value = trial.metrics[name];
      return value === undefined ? [] : [{ trial, value }];
    });
    return plateauOf(name, points, trajectory.metric.direction) ?? [];
  });
  return found.reduce<Plateau | null>(
    (top, one) => (top === null || one.ids.length > top.ids.length ? one : top),
    null,
  );
}

function plateauOf(
  metric: string,
  points: readonly Point[],
  direction: Trajectory['metric']['direction'],
): Plateau | null {
  const value = commonest(points.map((point) => point.value));
  if (value === null) return null;
  const tolerance = UNITS * unitOf(value);
  // compared in hundredths of a unit: decimal fractions have no exact binary form
  const near = points.filter(
    (point) => Math.round((Math.abs(point.value - value) / unitOf(value)) * 100) < UNITS * 100,
  );
  if (near.length < FEWEST) return null;
  const middle = median(near.map(({ trial }) => trial.score));
  const spread = 1.4826 * median(near.map(({ trial }) => Math.abs(trial.score - middle)));
  const own = near.filter(({ trial }) => Math.abs(trial.score - middle) <= OUTLIER * spread);
  const scores = own.map(({ trial }) => trial.score);
  if (own.length < FEWEST) return null;
  const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const sd = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / (scores.length - 1));
  if (sd === 0) return null;
  const best = own.reduce(
    (top, { trial }) => (gainFrom(direction, top.score, trial.score) > 0 ? trial : top),
    { id: '', score: direction === 'minimize' ? Infinity : -Infinity },
  );
  const expectedSds = expectedBest(scores.length);
  return {
    ...{ metric, value, tolerance, scores, mean, sd },
    ids: own.map(({ trial }) => trial.id),
    outliers: near.filter((point) => !own.includes(point)).map(({ trial }) => trial.id),
    best: { id: best.id, score: best.score },
    expectedBest: mean + (direction === 'minimize' ? -1 : 1) * expectedSds * sd,
    sds: gainFrom(direction, mean, best.score) / sd,
    expectedSds,
  };
}

/** The value that most others equal in the digits that are compared; of several the one found first. */
function commonest(values: readonly number[]): number | null {
  const counts = new Map<number, number>();
  for (const value of values)
    if (value !== 0) {
      const rounded = Number(value.toPrecision(DIGITS));
      counts.set(rounded, (counts.get(rounded) ?? 0) + 1);
    }
  let top: [number, number] | null = null;
  for (const entry of counts) if (top === null || entry[1] > top[1]) top = entry;
  return top?.[0] ?? null;
}

/** One unit of the last digit that is compared. */
const unitOf = (value: number): number => 10 ** (Math.floor(Math.log10(Math.abs(value))) - DIGITS + 1);
