import { EVALUATION_S } from '../task/evaluation-time.js';
import { doubtOf, type GatedRun } from '../task/gate-doubt.js';
import { firstMiss, margins, phaseOfMiss, statusOfMiss, type Margin } from '../task/gates.js';
import type { Task } from '../task/task.js';
import { meanOf } from '../decision/noise.js';
import type { Failure } from './outcome.js';
import { missText } from './outcome-words.js';

type Gated = Pick<Task, 'gates' | 'metric'>;

/** Bytes that `bytes` is the sum of. */
export interface SizeParts {
  code: number;
  artifact: number;
}

/**
 * Builds the failure of a run that missed a gate; its phase is that in which the metric is measured. With `parts` a
 * miss of `bytes` tells what it is made of.
 */
export function missFailure({ gates, metric }: Gated, miss: Margin, parts?: SizeParts): Failure {
  const split =
    miss.metric === 'bytes' && parts !== undefined
      ? ` (code is ${parts.code}, the artifact ${parts.artifact})`
      : '';
  return {
    status: statusOfMiss(gates, miss),
    phase: phaseOfMiss(miss),
    reason: `${missText(miss)}${split}`,
    limit: { name: miss.gate, used: miss.value, allowed: miss.limit, unit: unitOf(miss.metric, metric) },
    tail: '',
  };
}

const UNITS: Readonly<Record<string, string>> = {
  bytes: 'bytes',
  code_bytes: 'bytes',
  train_s: 's',
  reveal_s: 's',
  [EVALUATION_S]: 's',
};

/** Units of other metrics are known of the headline only. */
const unitOf = (name: string, headline: Task['metric']): string =>
  UNITS[name] ?? (name === headline.name ? headline.unit : '');

/**
 * Returns the failure of whole runs of the start whose mean misses a statistical gate, or does not surely keep it; null
 * where all are kept.
 */
export function meanMissFailure(task: Gated, runs: readonly GatedRun[]): Failure | null {
  const metrics = runs.map((run) => run.metrics);
  const names = Object.keys(metrics[0] ?? {}).filter((name) => metrics.every((run) => name in run));
  const means = names.map((name): [string, number] => [name, meanOf(metrics.map((run) => run[name] ?? 0))]);
  const statistical = task.gates.filter(({ test }) => test === 'statistical');
  const found = margins(statistical, Object.fromEntries(means), (gate) =>
    doubtOf(gate, runs, { as: 'claim', others: [] }),
  );
  const miss = firstMiss(found);
  if (miss === undefined) return null;
  const failure = missFailure(task, miss);
  return { ...failure, reason: `${failure.reason}, in the mean of ${runs.length} runs` };
}
