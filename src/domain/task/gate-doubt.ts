import { meanOf, NO_NOISE, withRuns } from '../decision/noise.js';
import type { Doubt } from './gates.js';
import type { Gate } from './schema/gate.js';

/** Metrics of one run. */
export interface GatedRun {
  metrics: Readonly<Record<string, number>>;
  /** Standard errors that the evaluator told of its metrics, by their names. */
  standardErrors: Readonly<Record<string, number>>;
}

/** How runs are held to a statistical gate. */
export interface Strictness {
  /**
   * `screen`: only what is surely beyond the limit misses it; `claim`: only what is surely within keeps it, as a start
   * has to and what is claimed.
   */
  as: 'screen' | 'claim';
  /** Runs of another recipe, from which the spread between runs is known too: those of the start. */
  others: readonly GatedRun[];
}

/** Standard errors by default: 2, and that of one side at 5 %. */
const DEFAULT_Z = { screen: 2, claim: 1.65 } as const;

/**
 * Doubt about the mean of some runs at a gate: from the standard errors that the evaluator told of each, else from the
 * spread between runs. Null at exact gates, and where nothing is known of the error: then the mean counts as it is.
 */
export function doubtOf(gate: Gate, runs: readonly GatedRun[], { as, others }: Strictness): Doubt | null {
  if (gate.test === 'exact' || runs.length === 0) return null;
  const own = toldError(gate.metric, runs) ?? spreadError(gate.metric, runs, others);
  const standardError = as === 'screen' ? screeningError(gate.metric, own, { runs, others }) : own;
  if (standardError === null) return null;
  const z = as === 'screen' ? (gate.screen_z ?? DEFAULT_Z.screen) : -(gate.claim_z ?? DEFAULT_Z.claim);
  return { standardError, slack: z * standardError };
}

/**
 * The error by which the search excuses a miss: no more than that of as many runs of the start, since a recipe can make
 * its own as large as it likes.
 */
function screeningError(
  metric: string,
  own: number | null,
  { runs, others }: { runs: readonly GatedRun[]; others: readonly GatedRun[] },
): number | null {
  const ofStart = toldError(metric, others) ?? spreadError(metric, others, []);
  if (ofStart === null) return own;
  const asMany = ofStart * Math.sqrt(others.length / runs.length);
  return own === null ? asMany : Math.min(own, asMany);
}

/** The standard error of the mean by those of its runs; null where one of them tells none. */
function toldError(metric: string, runs: readonly GatedRun[]): number | null {
  const errors = runs.map(({ standardErrors }) => standardErrors[metric]);
  if (errors.length === 0 || errors.some((error) => error === undefined)) return null;
  return Math.sqrt(meanOf(errors.map((error = 0) => error ** 2)) / runs.length);
}

/** The standard error of the mean by the spread between runs of one recipe; null where none are known. */
function spreadError(metric: string, runs: readonly GatedRun[], others: readonly GatedRun[]): number | null {
  const valuesOf = (of: readonly GatedRun[]): number[] => of.flatMap(({ metrics }) => metrics[metric] ?? []);
  const { squares, degrees } = [runs, others].map(valuesOf).reduce(withRuns, NO_NOISE);
  return degrees === 0 ? null : Math.sqrt(squares / degrees / runs.length);
}
