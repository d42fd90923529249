import { isBetter, type Task } from '../../task/task.js';
import { equalDifferences, equalScores } from '../alike.js';
import { intervalOf, type IntervalResult } from './claim.js';
import { meanOf, squaresOf } from '../noise.js';
import { twoSidedQuantile } from '../belief/student.js';

/** Equal numbers of runs of two recipes, fixed in advance, so that none was selected by its score. */
export interface ComparedRuns {
  direction: Task['metric']['direction'];
  /** At least 2, in the metric's unit. */
  start: readonly number[];
  trial: readonly number[];
  /** Whether each run of the trial shares the training, and so the noise, of the start's run at its place. */
  paired: boolean;
  confidence: number;
}

export interface ComparedArm {
  mean: number;
  /** Run-to-run standard deviation. */
  sd: number;
}

/** What such runs say of one recipe against the other, in the metric's unit. */
export interface Comparison {
  /** Of each. */
  runs: number;
  start: ComparedArm;
  trial: ComparedArm;
  paired: boolean;
  /** The trial's mean less the start's. */
  difference: number;
  /** Of the difference; null where runs are equal that should differ, so that nothing is known of it. */
  standardError: number | null;
  /** Holds the true difference with the probability `confidence`; null where the standard error is. */
  interval: [number, number] | null;
  confidence: number;
  /** The side of zero that the interval is on; null where it holds zero, or there is none. */
  side: 'better' | 'worse' | null;
}

/**
 * Compares two recipes by Welch's interval; runs in pairs by Student's for the mean of their differences. Where the runs
 * of a recipe do not differ there is no interval: nothing tells how far they are off.
 */
export function compareRuns({ direction, start, trial, paired, confidence }: ComparedRuns): Comparison {
  const welch = intervalOf({ direction, start, frontier: trial, confidence });
  const base = {
    runs: trial.length,
    start: { mean: welch.start.mean, sd: welch.start.sd },
    trial: { mean: welch.frontier.mean, sd: welch.frontier.sd },
    paired,
    difference: welch.difference,
    confidence,
  };
  const found = paired
    ? ofPairs(start, trial, confidence)
    : equalScores(start) || equalScores(trial)
      ? null
      : { standardError: Math.hypot(...errorsOf(welch)), interval: welch.interval };
  if (found === null) return { ...base, standardError: null, interval: null, side: null };
  return { ...base, ...found, side: sideOf(direction, found.interval) };
}

const errorsOf = ({ start, frontier }: IntervalResult): number[] =>
  [start, frontier].map(({ sd, runs }) => sd / Math.sqrt(runs));

type Found = { standardError: number; interval: [number, number] } | null;

function ofPairs(start: readonly number[], trial: readonly number[], confidence: number): Found {
  const differences = trial.map((score, i) => score - (start[i] ?? score));
  if (equalDifferences(differences, [...start, ...trial])) return null;
  const mean = meanOf(differences);
  const degrees = differences.length - 1;
  const standardError = Math.sqrt(squaresOf(differences) / degrees / differences.length);
  const half = twoSidedQuantile(1 - confidence, degrees) * standardError;
  return { standardError, interval: [mean - half, mean + half] };
}

function sideOf(direction: ComparedRuns['direction'], [low, high]: [number, number]): Comparison['side'] {
  if (low <= 0 && high >= 0) return null;
  return isBetter(direction, low, 0) ? 'better' : 'worse';
}
