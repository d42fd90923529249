import { Search } from './decision.js';
import { Dice } from './dice.js';

/** Parameters of a random search. */
export interface Terms {
  /** Edits that change the noise. */
  jumps: number;
  noise: (dice: Dice) => number;
  unit: number;
  zero: number;
}
export const PLAIN: Terms = { jumps: 0.1, noise: (dice) => dice.normal(), unit: 1, zero: 0 };

/**
 * Runs a random search of this many trials in three lanes: parents are the current frontier or a slightly earlier
 * one.
 */
export function searched(start: number, trials: number, { jumps, noise, unit, zero }: Terms = PLAIN): Search {
  const dice = new Dice(start);
  const measure = (score: number, sd: number): number => zero + unit * (score + sd * noise(dice));
  const search = new Search(Array.from({ length: 5 }, () => measure(0, 1)));
  const truth = new Map([[0, { score: 0, sd: 1 }]]);
  const recent = [0];
  for (let trial = 1; trial <= trials; trial += 1) {
    const parent = recent[Math.floor(dice.uniform() * recent.length)] ?? 0;
    const from = truth.get(parent) ?? { score: 0, sd: 1 };
    const u = dice.uniform();
    const effect = u < 0.15 ? -dice.exponential(2) : u < 0.45 ? dice.exponential(3) : 0;
    const sd = dice.uniform() < jumps ? from.sd * 2 ** (4 * dice.uniform() - 3) : from.sd;
    const score = from.score + from.sd * effect;
    const scores = Array.from({ length: 1 + Math.floor(dice.uniform() * 3) }, () => measure(score, sd));
    truth.set(trial, { score, sd });
    const open = [...recent].sort((a, b) => a - b);
    if (search.trial(scores, { parent, open })) recent.push(trial);
    if (recent.length > 3) recent.shift();
  }
  return search;
}
