import { equalScores } from '../alike.js';
import type { Believed } from '../lesson.js';
import { meanOf, squaresOf } from '../noise.js';

/** What is known of a trial's true score; scores in the metric's unit. */
export interface EstimateFacts {
  /** Scores of the fresh runs of its claims, none of which was selected by its score. */
  fresh: readonly number[];
  /** What the search believes of it; null where nothing is believed. */
  believed: Believed | null;
  /** Scores of its own runs in the search. */
  scores: readonly number[];
  /** Run-to-run standard deviation; null where it is not known. */
  sd: number | null;
}

/** The best estimate of a trial's true score. */
export interface Estimate {
  mean: number;
  /** Standard error or standard deviation of the belief; null where nothing is known of it. */
  error: number | null;
  /** `fresh`: runs of claims; `belief`: all that the search has measured; `runs`: the trial's own in the search. */
  from: 'fresh' | 'belief' | 'runs';
  /** Runs behind the mean; null for a belief, which other trials' runs are part of. */
  runs: number | null;
}

/** Fewer fresh runs do not say how far they are off. */
const FEWEST_FRESH = 2;

/**
 * Chooses the best estimate of a trial's true score: fresh runs, which nobody has selected, go before any belief; a
 * belief, which weighs a lucky run against all others, goes before the trial's own runs. Null where nothing is known.
 */
export function estimateOf({ fresh, believed, scores, sd }: EstimateFacts): Estimate | null {
  if (fresh.length >= FEWEST_FRESH)
    return { mean: meanOf(fresh), error: standardError(fresh), from: 'fresh', runs: fresh.length };
  if (believed !== null) return { mean: believed.mean, error: believed.sd, from: 'belief', runs: null };
  if (scores.length === 0) return null;
  const error = sd === null ? null : sd / Math.sqrt(scores.length);
  return { mean: meanOf(scores), error, from: 'runs', runs: scores.length };
}

/** The standard error of a mean of at least two scores; null where they are equal to rounding, and so count as one. */
function standardError(scores: readonly number[]): number | null {
  if (equalScores(scores)) return null;
  return Math.sqrt(squaresOf(scores) / (scores.length - 1) / scores.length);
}
