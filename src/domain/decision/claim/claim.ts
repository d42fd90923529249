import { z } from 'zod';
import { finite } from '../../trial/evaluation.js';
import { isBetter, type Task } from '../../task/task.js';
import { ignoresSeed, withoutNoise, type SeededRun } from '../alike.js';
import { meanOf, sampleSd } from '../noise.js';
import { twoSidedQuantile } from '../belief/student.js';

const armSchema = z.object({ mean: finite, sd: finite, runs: z.number().int() });

/** By which claims are weighed now; under rule 1 every result was an interval. */
export const CLAIM_RULE = 2;

export const intervalSchema = z.object({
  kind: z.literal('interval').default('interval'),
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
export type IntervalResult = z.infer<typeof intervalSchema>;

/** `sd` is null where the runs are no independent measurements. */
const measurementSchema = armSchema.extend({ sd: finite.nullable() });

export const deterministicSchema = z.object({
  kind: z.literal('deterministic'),
  /**
   * declared: by the task; seed-fixed: the frontier's runs under different seeds are equal to rounding, and the start's
   * are not; no-spread: no run of either scored differently from another.
   */
  because: z.enum(['declared', 'seed-fixed', 'no-spread']),
  start: measurementSchema,
  frontier: measurementSchema,
  difference: finite,
  /** Whether the frontier measured better; this has no error rate. */
  better: z.boolean(),
});
export type DeterministicResult = z.infer<typeof deterministicSchema>;

/**
 * What fresh runs say of the frontier against the start, in the metric's unit: with an interval, or without one where
 * there is no run-to-run noise that it could be of.
 */
export const claimResultSchema = z.union([intervalSchema, deterministicSchema]);
export type ClaimResult = z.infer<typeof claimResultSchema>;

/** Fresh runs of the start and of the frontier, none of which has been selected by its score. */
export interface ClaimRuns<Run = SeededRun> {
  direction: Task['metric']['direction'];
  start: readonly Run[];
  frontier: readonly Run[];
  confidence: number;
}

/** The confidence of each of several claims of which none may be wrong but with 1 − `confidence` (Bonferroni). */
export const confidenceOfEach = (confidence: number, claims: number): number => 1 - (1 - confidence) / claims;

/**
 * Weighs the fresh runs of a claim, once. There is no interval for a task that says it is deterministic, for a frontier
 * whose runs do not depend on the seed where the start's do, or where nothing differs: an interval of no spread would
 * say that the next run cannot differ, which no run has shown.
 */
export function claimOf(runs: ClaimRuns, { deterministic }: { deterministic: boolean }): ClaimResult {
  const because = deterministic ? 'declared' : singleBecause(runs);
  const scores = { start: runs.start.map(scoreOf), frontier: runs.frontier.map(scoreOf) };
  if (because === null) return intervalOf({ ...runs, ...scores });
  const arms = {
    start: because === 'seed-fixed' ? armOf(scores.start) : measurementOf(scores.start),
    frontier: measurementOf(scores.frontier),
  };
  const better = isBetter(runs.direction, arms.frontier.mean, arms.start.mean);
  const difference = arms.frontier.mean - arms.start.mean;
  return { kind: 'deterministic', because, ...arms, difference, better };
}

const scoreOf = ({ score }: SeededRun): number => score;

/** Weighs fresh runs by the rule that the claim was opened with: the first always gave an interval. */
export function claimBy(rule: 1 | 2, runs: ClaimRuns, declared: { deterministic: boolean }): ClaimResult {
  if (rule === 2) return claimOf(runs, declared);
  return intervalOf({ ...runs, start: runs.start.map(scoreOf), frontier: runs.frontier.map(scoreOf) });
}

function singleBecause({ start, frontier }: ClaimRuns): 'seed-fixed' | 'no-spread' | null {
  if (ignoresSeed(frontier, start)) return 'seed-fixed';
  return withoutNoise(start) && withoutNoise(frontier) ? 'no-spread' : null;
}

/**
 * Welch's interval for the difference of two means with unequal variances (B. L. Welch, Biometrika 34, 1947), looked
 * at once. Both arms need at least 2 runs.
 */
export function intervalOf({ direction, start, frontier, confidence }: ClaimRuns<number>): IntervalResult {
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
  return { kind: 'interval', ...arms, difference, interval, confidence, degrees, gained };
}

const armOf = (scores: readonly number[]): IntervalResult['start'] => ({
  mean: meanOf(scores),
  sd: sampleSd(scores),
  runs: scores.length,
});

const measurementOf = (scores: readonly number[]): DeterministicResult['frontier'] => ({
  mean: meanOf(scores),
  sd: null,
  runs: scores.length,
});
