import { GENERIC_WEIGHTS, learnedWeights } from './effects.js';
import type { DecisionResult, Knowledge, Rule } from './record.js';

/** Decisions after which a campaign learns its weights anew, and the newest that it learns them from. */
export const LEARN_EVERY = 20;
export const LEARN_FROM = 1000;

/** What learning reads of a decision. */
interface Decided {
  sequence: number;
  rule: Rule;
  result: Pick<DecisionResult, 'likelihoods'>;
  knowledge: Knowledge;
}

/** Whether the weights of effects are learned anew after a decision. */
export function learnsAfter({ rule, sequence }: Pick<Decided, 'rule' | 'sequence'>): boolean {
  return rule === 'posterior' && sequence % LEARN_EVERY === 0;
}

/**
 * What the next decision knows.
 * @param decisions at least the newest LEARN_FROM up to `last`, in their order; others are not looked at
 */
export function knowledgeFrom(last: Decided, decisions: readonly Decided[]): Knowledge {
  if (!learnsAfter(last)) return last.knowledge;
  const rows = decisions
    .filter(({ sequence }) => sequence <= last.sequence && sequence > last.sequence - LEARN_FROM)
    .map(({ result }) => result.likelihoods)
    .filter(({ length }) => length > 0);
  return { ...last.knowledge, weights: learnedWeights(GENERIC_WEIGHTS, rows) };
}
