/**
 * Knowledge about the run-to-run noise of a score: squared deviations from their own recipe's mean, added up.
 */
export interface Noise {
  squares: number;
  /** Degrees of freedom: runs less the recipes that they are of. */
  degrees: number;
}

export const NO_NOISE: Noise = { squares: 0, degrees: 0 };

export function meanOf(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  // a sum of numbers near the largest there is leaves what a double can hold, their mean does not
  return Number.isNaN(mean) || Number.isFinite(mean) ? mean : bounded(scaledMean(values));
}

const scaledMean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value / values.length, 0);

const bounded = (value: number): number => Math.min(Math.max(value, -Number.MAX_VALUE), Number.MAX_VALUE);

/** The difference of two scores, at most the largest number there is. */
export const differenceOf = (a: number, b: number): number => bounded(a - b);

/** The squared deviations of some runs of one recipe from their mean. */
export function squaresOf(scores: readonly number[]): number {
  const mean = meanOf(scores);
  return scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
}

/** The standard deviation of at least two runs of one recipe. */
export const sampleSd = (scores: readonly number[]): number =>
  Math.sqrt(squaresOf(scores) / (scores.length - 1));

/** The noise with the independent runs of one more recipe. */
export function withRuns(noise: Noise, scores: readonly number[]): Noise {
  if (scores.length < 2) return noise;
  return { squares: noise.squares + squaresOf(scores), degrees: noise.degrees + scores.length - 1 };
}

/** Share of the score below which differences count as nothing where runs show no spread at all. */
const LEAST_SHARE = 1e-6;

/**
 * Estimates the run-to-run standard deviation, in the metric's unit, always > 0. The square root of a variance
 * estimate is too small on average; few degrees of freedom are corrected for.
 * @param score a typical score, which sets the least deviation that counts
 */
export function sdOf({ squares, degrees }: Noise, score: number): number {
  const least = Math.max(LEAST_SHARE * Math.abs(score), Number.EPSILON);
  if (degrees === 0) return least;
  return Math.max(least, Math.sqrt(squares / degrees) * (1 + 1 / (4 * degrees)));
}
