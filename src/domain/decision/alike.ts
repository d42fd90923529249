import { sampleSd } from './noise.js';

/** A run of a recipe under a seed of its own, and what it left. */
export interface SeededRun {
  score: number;
  /** Digest of its sealed artifact; null where equal artifacts say nothing of the score, as where it is a time. */
  artifact: string | null;
}

/** Scores that differ by less than this share of themselves differ by rounding. */
const ROUNDING = 1e-9;
/** Tolerance as a share of the start's standard deviation, so that runs of a quiet recipe are not taken for equal. */
const ROUNDING_SD = 1e-6;
/** Scores that are multiples of a step above this share of the start's standard deviation are often equal by chance. */
const STEP_SD = 1e-3;

/**
 * Tells whether the seed changes nothing in a recipe: its runs are the same measurement where the start's own were not.
 * That is equal artifacts, or scores that are equal to rounding and no multiples of a step (as accuracies are). A small
 * spread is never a sign: honest recipes get many times quieter as they improve.
 * @param start runs of the start, which show what scores can differ by
 */
export function ignoresSeed(runs: readonly SeededRun[], start: readonly SeededRun[]): boolean {
  if (start.length < 2) return false;
  return (
    (sameArtifact(runs) && !sameArtifact(start)) || (sameScore(runs, start) && !equalScores(scoresOf(start)))
  );
}

/** Tells whether the start's runs show no noise, so that nothing can be weighed by it. */
export const withoutNoise = (start: readonly SeededRun[]): boolean => equalScores(scoresOf(start));

const scoresOf = (runs: readonly SeededRun[]): number[] => runs.map(({ score }) => score);

const sameArtifact = (runs: readonly SeededRun[]): boolean =>
  runs.length >= 2 && runs.every(({ artifact }) => artifact !== null && artifact === runs[0]?.artifact);

function sameScore(runs: readonly SeededRun[], start: readonly SeededRun[]): boolean {
  const [scores, others] = [scoresOf(runs), scoresOf(start)];
  const sd = others.length < 2 ? Infinity : sampleSd(others);
  return equalScores(scores, ROUNDING_SD * sd) && stepOf([...others, ...scores]) < STEP_SD * sd;
}

/** Tells whether differences of scores of such a size are equal to rounding, so that their spread says nothing. */
export const equalDifferences = (differences: readonly number[], scores: readonly number[]): boolean =>
  equalScores(differences, Infinity, largestOf(scores));

/**
 * Tells whether scores are equal to rounding, so that their spread says nothing.
 * @param most the largest difference of equal scores, however large they are
 * @param largest the size of the scores
 */
export function equalScores(
  scores: readonly number[],
  most = Infinity,
  largest = largestOf(scores),
): boolean {
  const off = Math.max(...scores) - Math.min(...scores);
  return (
    scores.length >= 2 && off <= Math.max(8 * Number.EPSILON * largest, Math.min(ROUNDING * largest, most))
  );
}

const largestOf = (scores: readonly number[]): number => Math.max(...scores.map(Math.abs));

/**
 * The step of which all differences of these scores are multiples: their greatest common divisor, which is hardly above
 * rounding where there is none.
 */
function stepOf(scores: readonly number[]): number {
  const least = ROUNDING * largestOf(scores);
  const base = scores[0] ?? 0;
  let step = 0;
  for (const score of scores) {
    let [larger, smaller] = [step, Math.abs(score - base)];
    while (smaller > least)
      [larger, smaller] = [smaller, Math.abs(larger - smaller * Math.round(larger / smaller))];
    step = larger;
  }
  return step;
}
