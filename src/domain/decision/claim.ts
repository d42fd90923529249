import { z } from 'zod';
import { finite } from '../evaluation.js';
import { isBetter, type Task } from '../task.js';
import { meanOf } from './noise.js';
import { twoSidedQuantile } from './student.js';

const armSchema = z.object({ mean: finite, sd: finite, runs: z.number().int() });

/** What fresh runs say of the frontier against the start, in the metric's unit. */
export const claimResultSchema = z.object({
  start: armSchema,
  frontier: armSchema,
  /** Mean of the frontier's runs less that of the start's. */
  difference: finite,
  /** Holds the true difference with the probability `confidence`. */
  interval: z.tuple([finite, finite]),
  /** 1 − the probability that a campaign without any gain claims one (half of it on the better side). */
  confidence: finite,
  /** Degrees of freedom, by Welch and Satterthwaite; null where no run differs from another. */
  degrees: finite.nullable(),
  /** Whether the interval leaves out zero, on the better side. */
  gained: z.boolean(),
});
export type ClaimResult = z.infer<typeof claimResultSchema>;

/** Fresh runs of the start and of the frontier, none of which has been selected by its score. */
export interface ClaimRuns {
  direction: Task['metric']['direction'];
  start: readonly number[];
  frontier: readonly number[];
  confidence: number;
}

/** The confidence of each of several claims of which none may be wrong but with 1 − `confidence` (Bonferroni). */
export const confidenceOfEach = (confidence: number, claims: number): number => 1 - (1 - confidence) / claims;

/**
 * Welch's interval for the difference of two means with unequal variances (B. L. Welch, Biometrika 34, 1947), looked
 * at once. Both arms need at least 2 runs.
 */
export function claimOf({ direction, start, frontier, confidence }: ClaimRuns): ClaimResult {
  const arms = { start: armOf(start), frontier: armOf(frontier) };
  const shares = [arms.start, arms.frontier].map(({ sd, runs }) => ({ variance: sd ** 2 / runs, runs }));
  const variance = shares.reduce((sum, share) => sum + share.variance, 0);
  const difference = arms.frontier.mean - arms.start.mean;
  const degrees =
    variance === 0
      ? null
      : variance ** 2 / shares.reduce((sum, share) => sum + share.variance ** 2 / (share.runs - 1), 0);
  const half = degrees === null ? 0 : twoSidedQuantile(1 - confidence, degrees) * Math.sqrt(variance);
  const interval: [number, number] = [difference - half, difference + half];
  // the end of the interval that is nearer to no gain has to be a gain
  const gained = isBetter(direction, direction === 'minimize' ? interval[1] : interval[0], 0);
  return { ...arms, difference, interval, confidence, degrees, gained };
}

function armOf(scores: readonly number[]): ClaimResult['start'] {
  const mean = meanOf(scores);
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (scores.length - 1)), runs: scores.length };
}
