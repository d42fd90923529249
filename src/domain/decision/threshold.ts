/** Runs of a candidate that passes its screen: the first and two fresh ones. */
export const THRESHOLD_RUNS = 3;
const SCREEN_Z = 1.28;
const FRESH_Z = 1;

/** Scores as costs: lower is better. */
interface Costs {
  scores: readonly number[];
  /** Those that no screen has selected. */
  fresh: readonly number[];
  /** The frontier's mean, and the runs behind it. */
  reference: number;
  referenceRuns: number;
  sd: number;
}

/** Returns true when a first run is good enough for two more. */
export function passesScreen({ scores, reference, referenceRuns, sd }: Costs): boolean {
  return (reference - (scores[0] ?? reference)) / (sd * Math.sqrt(1 + 1 / referenceRuns)) >= SCREEN_Z;
}

/** Returns true when the fresh runs alone, which nothing has selected, are better than the frontier. */
export function thresholdPasses({ fresh, reference, referenceRuns, sd }: Costs): boolean {
  if (fresh.length < THRESHOLD_RUNS - 1) return false;
  const mean = fresh.reduce((sum, score) => sum + score, 0) / fresh.length;
  return (reference - mean) / (sd * Math.sqrt(1 / fresh.length + 1 / referenceRuns)) >= FRESH_Z;
}
