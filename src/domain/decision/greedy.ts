import { isBetter, type Task } from '../task.js';

/** Everything a greedy decision uses; stored with it, so that it can be recomputed. */
export interface GreedyInputs {
  direction: Task['metric']['direction'];
  score: number;
  /** The score of the frontier at `frontierVersion`; null only for the start itself. */
  frontierScore: number | null;
}

export interface GreedyVerdict {
  adopt: boolean;
  /** score − frontierScore, in the metric's unit; null for the start. */
  delta: number | null;
}

/** The paper's rule: adopt whatever measured better than the frontier once. Nothing may be claimed from it. */
export function greedy(inputs: GreedyInputs): GreedyVerdict {
  if (inputs.frontierScore === null) return { adopt: true, delta: null };
  return {
    adopt: isBetter(inputs.direction, inputs.score, inputs.frontierScore),
    delta: inputs.score - inputs.frontierScore,
  };
}
