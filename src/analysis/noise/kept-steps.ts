import { gainFrom, isValid, type Trajectory } from '../trajectory/trajectory.js';
import { bestQuantile, expectedBest } from './best-of-n.js';

/** One adoption held against the noise. */
export interface KeptStep {
  number: number;
  id: string;
  role: string;
  score: number;
  /** Gain over the best before it, as measured. */
  gain: number;
  /** Runs of it and of the best before it. */
  runs: number;
  runsBefore: number;
  /** The gain in standard errors of a difference; null where the noise is not known. */
  z: number | null;
  /** Valid trials since the adoption before, with this one. */
  draws: number;
  /** Mean gain of the best of that many draws that are all equal to what was best before; null likewise. */
  byDrawsAlone: number | null;
  /**
   * clear: above what noise explains; selection: above two standard errors, but no more than the best of so many equal
   * draws; noise: below two standard errors; unknown: the noise is not known.
   */
  verdict: 'clear' | 'selection' | 'noise' | 'unknown';
}

/** Standard errors above which one difference counts as more than noise. */
const CLEAR_Z = 2;
/** Probability with which the best of equal draws stays below the bound. */
const DRAWS_SHARE = 0.95;

/** Holds each adoption against run-to-run noise and against selection among the trials since the one before. */
export function keptSteps(
  { metric: { direction }, start, trials }: Trajectory,
  sd: number | null,
): KeptStep[] {
  let best = start !== null && start.score !== null ? { score: start.score, runs: start.runs.length } : null;
  let draws = 0;
  const steps: KeptStep[] = [];
  for (const trial of trials.filter(isValid)) {
    draws += 1;
    if (trial.ending !== 'keep') continue;
    const runs = Math.max(1, trial.runs.length);
    if (best !== null) {
      const gain = gainFrom(direction, best.score, trial.score);
      const runsBefore = Math.max(1, best.runs);
      const { number, id, role, score } = trial;
      const held = sd === null ? UNKNOWN : heldAgainst(sd, { gain, runs, runsBefore, draws });
      steps.push({ number, id, role, score, gain, runs, runsBefore, draws, ...held });
    }
    best = { score: trial.score, runs };
    draws = 0;
  }
  return steps;
}

type Held = Pick<KeptStep, 'z' | 'byDrawsAlone' | 'verdict'>;
const UNKNOWN: Held = { z: null, byDrawsAlone: null, verdict: 'unknown' };

function heldAgainst(
  sd: number,
  { gain, runs, runsBefore, draws }: Pick<KeptStep, 'gain' | 'runs' | 'runsBefore' | 'draws'>,
): Held {
  const error = sd * Math.sqrt(1 / runs + 1 / runsBefore);
  const z = gain / error;
  const own = sd / Math.sqrt(runs);
  const bound = own * bestQuantile(draws, DRAWS_SHARE);
  const verdict = z < CLEAR_Z ? 'noise' : gain <= bound ? 'selection' : 'clear';
  return { z, byDrawsAlone: own * expectedBest(draws), verdict };
}

/** Whole gain of a search beside what the best of as many equal draws would show. */
export interface SelectionFigures {
  /** Valid trials. */
  draws: number;
  /** Measured gain of the best over the start. */
  gain: number;
  /** Mean gain of the best of that many draws equal to the start; and its bound with 95 % probability. */
  expected: number;
  bound: number;
}

/** The gain of the best valid trial over the start, beside that of as many equal draws. */
export function selectionFigures({ metric, start, trials }: Trajectory, sd: number): SelectionFigures | null {
  const valid = trials.filter(isValid);
  const from = start?.score ?? null;
  if (from === null || valid.length === 0) return null;
  return {
    draws: valid.length,
    gain: valid.reduce((top, { score }) => Math.max(top, gainFrom(metric.direction, from, score)), -Infinity),
    expected: sd * expectedBest(valid.length),
    bound: sd * bestQuantile(valid.length, DRAWS_SHARE),
  };
}
