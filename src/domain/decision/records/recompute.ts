import { claimBy, type ClaimResult, type ClaimRuns } from '../claim/claim.js';

/** Largest error of a recomputed number, relative to its size where that is above 1. */
const TOLERANCE = 1e-9;

/**
 * Compares what was recomputed with what is stored: every verdict has to be the same, and every number within 1e-9.
 * Returns what differs, in words; nothing when all agrees.
 */
export function differences(made: object, stored: object): string[] {
  return differing('', made, stored);
}

/** Differences of a claim: its numbers have to follow from its runs, by the rule that it was weighed by. */
export function claimDifferences(
  runs: ClaimRuns,
  { rule, deterministic, result }: { rule: 1 | 2; deterministic: boolean; result: ClaimResult },
): string[] {
  return differing('', claimBy(rule, runs, { deterministic }), result);
}

function differing(path: string, made: unknown, stored: unknown): string[] {
  if (typeof made === 'number' && typeof stored === 'number') {
    const off = Math.abs(made - stored);
    return off <= TOLERANCE * Math.max(1, Math.abs(made)) ? [] : [told(path, made, stored)];
  }
  if (typeof made !== 'object' || made === null || typeof stored !== 'object' || stored === null)
    return made === stored ? [] : [told(path, made, stored)];
  const [left, right] = [new Map(Object.entries(made)), new Map(Object.entries(stored))];
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((key) =>
    differing(path === '' ? key : `${path}.${key}`, left.get(key), right.get(key)),
  );
}

const told = (path: string, made: unknown, stored: unknown): string =>
  `${path} is stored as ${JSON.stringify(stored)}, recomputed it is ${JSON.stringify(made)}`;
