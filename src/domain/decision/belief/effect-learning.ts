import { learnedWeights } from './effects.js';
import type { Rule } from '../records/record.js';

/** Decisions after which a campaign learns its weights anew, and the newest that it learns them from. */
export const LEARN_EVERY = 20;
export const LEARN_FROM = 1000;

/** What learning reads of a decision. */
export interface LikelihoodRow {
  sequence: number;
  result: { likelihoods: readonly number[] };
}

/** Tells whether the weights of effects are learned anew after a decision. */
export function learnsAfter({ rule, sequence }: { rule: Rule; sequence: number }): boolean {
  return rule === 'posterior' && sequence % LEARN_EVERY === 0;
}

/**
 * Weights of the effects' components for the next decision.
 * @param decisions at least the newest LEARN_FROM up to `last`, in their order; others are not looked at
 */
export function weightsAfter(
  last: { sequence: number; rule: Rule; knowledge: { weights: number[] } },
  decisions: readonly LikelihoodRow[],
): number[] {
  if (!learnsAfter(last)) return last.knowledge.weights;
  const rows = decisions
    .filter(({ sequence }) => sequence <= last.sequence && sequence > last.sequence - LEARN_FROM)
    .map(({ result }) => result.likelihoods)
    .filter(({ length }) => length > 0);
  return learnedWeights(rows);
}
