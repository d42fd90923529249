import { gainFrom, type Trajectory } from '../trajectory/trajectory.js';

/** First measurements of kept trials beside those that were made of them again. */
export interface Remeasured {
  /** Kept trials with more than one run. */
  trials: number;
  /** Mean by which the first run was better than the mean of the others, in the metric's unit. */
  shrinkage: number;
  steps: { id: string; first: number; others: number; runs: number }[];
}

/** Compares the first run of each kept trial with its later ones; null where none was measured again. */
export function remeasured({ metric, trials }: Trajectory): Remeasured | null {
  const steps = trials.flatMap(({ id, ending, runs: [first, ...others] }) =>
    ending === 'keep' && first !== undefined && others.length > 0
      ? [
          {
            id,
            first,
            others: others.reduce((sum, score) => sum + score, 0) / others.length,
            runs: others.length + 1,
          },
        ]
      : [],
  );
  if (steps.length === 0) return null;
  const lost = steps.map(({ first, others }) => gainFrom(metric.direction, others, first));
  return { trials: steps.length, shrinkage: lost.reduce((sum, one) => sum + one, 0) / steps.length, steps };
}
