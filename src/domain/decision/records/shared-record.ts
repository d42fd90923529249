import { z } from 'zod';
import { finite } from '../../trial/evaluation.js';

/** What the records of all versions of the rules have in common. */

export const guardSchema = z.object({
  metric: z.string(),
  direction: z.enum(['minimize', 'maximize']),
  /** By how much it may be worse than the start's. */
  margin: finite,
  start: finite.nullable(),
  value: finite.nullable(),
});
/** A metric that may veto an adoption, with its values; null: there is none. */
export type GuardValue = z.infer<typeof guardSchema>;

/** The best known recipe as it stands after a decision. */
export const frontierSchema = z.object({
  trial: z.number().int(),
  /** Adoptions so far, the start's included. */
  version: z.number().int(),
  /** Sequence of the decision that adopted it. */
  sequence: z.number().int(),
  /** Mean of the scores that the rule holds others against. */
  score: finite,
  /** Runs behind that mean. */
  runs: z.number().int(),
  /** False for a start that a person let pass although it missed a gate. */
  eligible: z.boolean(),
});
export type Frontier = z.infer<typeof frontierSchema>;

/** The first guard that is worse than the start by more than its margin, or has no value, in words. */
export function vetoOf(guards: readonly GuardValue[]): string | null {
  for (const { metric, direction, margin, start, value } of guards) {
    if (value === null || start === null) return `the guard "${metric}" has no value`;
    const worse = direction === 'minimize' ? value - start : start - value;
    if (worse > margin)
      return `the guard "${metric}" is ${value}, worse than the start's ${start} by more than ${margin}`;
  }
  return null;
}
