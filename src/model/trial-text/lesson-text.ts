import type { MovedRow } from '../../domain/text/table-changes.js';
import { amount, clip, signed } from '../answers.js';

/** `expected -0.05, measured -0.02 (40 % of it)`; of opposite signs only the two numbers. */
export function expectationText(expected: number, measured: number): string {
  const share = expected === 0 ? NaN : measured / expected;
  const told = share > 0 && share < 100 ? ` (${Math.round(share * 100)} % of it)` : '';
  return `expected ${signed(expected)}, measured ${signed(measured)}${told}`;
}

/** `moved most: word, letter 1 from 0.497 to 0.484 (-0.013)`. */
export function movedText({ label, from, to }: MovedRow): string {
  const change = Number((to - from).toPrecision(6));
  return `moved most: ${clip(label, 60)} from ${amount(from)} to ${amount(to)} (${signed(change)})`;
}
