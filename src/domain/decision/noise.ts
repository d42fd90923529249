/** What is known of the run-to-run noise of a score: squared deviations from their own recipe's mean, added up. */
export interface Noise {
  squares: number;
  /** Degrees of freedom: runs less the recipes that they are of. */
  degrees: number;
}

export const NO_NOISE: Noise = { squares: 0, degrees: 0 };

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The squared deviations of some runs of one recipe from their mean. */
function squaresOf(scores: readonly number[]): number {
  const mean = meanOf(scores);
  return scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
}

/** The noise with the independent runs of one more recipe. */
export function withRuns(noise: Noise, scores: readonly number[]): Noise {
  if (scores.length < 2) return noise;
  return { squares: noise.squares + squaresOf(scores), degrees: noise.degrees + scores.length - 1 };
}

/** Where runs show no spread at all, differences below this share of the score count as nothing. */
const LEAST_SHARE = 1e-6;

/**
 * The run-to-run standard deviation, in the metric's unit, always > 0. The square root of a variance estimate is too
 * small on average; few degrees of freedom are corrected for.
 * @param score a typical score, by which the least deviation that counts is taken
 */
export function sdOf({ squares, degrees }: Noise, score: number): number {
  const least = Math.max(LEAST_SHARE * Math.abs(score), Number.EPSILON);
  if (degrees === 0) return least;
  return Math.max(least, Math.sqrt(squares / degrees) * (1 + 1 / (4 * degrees)));
}

/** How unlikely a spread has to be before it is taken for a fixed seed. */
const ALIKE = 1e-4;

/**
 * Whether runs of one recipe under different seeds are too alike to be honest, where the campaign's own runs had
 * spread: a recipe that fixes its seed, or remembers, measures the same thing again.
 * @param others scores of the campaign's other runs, by which it is seen what they can differ by at all
 */
export function tooAlike(noise: Noise, scores: readonly number[], others: readonly number[]): boolean {
  const sd = sdOf(noise, meanOf(scores));
  const hadSpread = noise.degrees > 0 && noise.squares / noise.degrees > (sd / 2) ** 2;
  if (scores.length < 2 || !hadSpread) return false;
  const degrees = scores.length - 1;
  // scores that can only be multiples of a step are often equal by chance
  const rounded = (degrees * stepOf([...others, ...scores], sd) ** 2) / 12;
  return chiSquareBelow(Math.max(squaresOf(scores), rounded) / sd ** 2, degrees) < ALIKE;
}

/** Differences of scores below this share of their standard deviation are rounding. */
const ROUNDING = 1e-6;

/**
 * The step of which all differences of these scores are multiples, as with accuracies on a few hundred items: their
 * greatest common divisor. As small as rounding where there is none.
 */
function stepOf(scores: readonly number[], sd: number): number {
  const least = ROUNDING * sd;
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

/** An upper bound of P(χ² ≤ x) that is close where x is small: its density without the exponential factor. */
function chiSquareBelow(x: number, degrees: number): number {
  const half = degrees / 2;
  return (x / 2) ** half / gammaOfHalf(degrees + 2);
}

/** Γ(n/2) for a whole n ≥ 1. */
function gammaOfHalf(n: number): number {
  if (n === 1) return Math.sqrt(Math.PI);
  return n === 2 ? 1 : (n / 2 - 1) * gammaOfHalf(n - 2);
}
