import type { Frontier } from '../../domain/decision/records/record.js';
import { trialKey } from '../../domain/keys.js';
import type { DecisionDocument } from '../documents/decision.js';

/** Key of a decision: its place in its campaign's sequence. */
export const keyOf = (owner: string, sequence: number): string =>
  `${owner}/s/${String(sequence).padStart(8, '0')}`;

/** Finds the place of the decision that follows the last one. */
export function placeAfter(
  owner: string,
  trial: number,
  last: Pick<DecisionDocument, 'sequence'> | null,
): Pick<DecisionDocument, '_id' | 'owner' | 'decides' | 'trial' | 'sequence'> {
  const sequence = (last?.sequence ?? 0) + 1;
  return { _id: keyOf(owner, sequence), owner, decides: trialKey(owner, trial), trial, sequence };
}

/** Returns the frontier after a decision: the candidate if it was adopted. */
export function frontierAfter(
  trial: number,
  sequence: number,
  { frontier, eligible }: { frontier: Frontier | null; eligible: boolean },
  { adopt, standing }: { adopt: boolean; standing: { score: number; runs: number } },
): Frontier {
  if (frontier !== null && !adopt) return frontier;
  return { trial, version: (frontier?.version ?? 0) + 1, sequence, ...standing, eligible };
}
