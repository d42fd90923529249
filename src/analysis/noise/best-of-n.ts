import { normalCdf, normalQuantile } from './normal.js';

const STEP = 0.01;
const FAR = 8.5;

/** Mean of the largest of n equal draws of a standard normal distribution. */
export function expectedBest(n: number): number {
  if (n <= 1) return 0;
  let sum = 0;
  // E max = ∫ (1 − Φⁿ) over x > 0 − ∫ Φⁿ over x < 0
  for (let x = STEP / 2; x < FAR; x += STEP) sum += 1 - normalCdf(x) ** n - normalCdf(-x) ** n;
  return sum * STEP;
}

/** Value that the largest of n equal draws of a standard normal distribution stays below with this probability. */
export function bestQuantile(n: number, share: number): number {
  return normalQuantile(share ** (1 / Math.max(1, n)));
}
