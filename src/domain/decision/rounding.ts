/** Scores that differ by less than this share of their size are equal to rounding. */
const ROUNDING = 1e-9;

/** True for scores that differ by no more than rounding, so that their spread says nothing. */
export function areEqualToRounding(scores: readonly number[]): boolean {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  return high - low <= ROUNDING * Math.max(1, Math.abs(low), Math.abs(high));
}
