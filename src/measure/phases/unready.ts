import type { Task } from '../../domain/task/task.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { Ending, RunResult } from '../../sandbox/run.js';

/** Words that a run has said. */
type Heard = Pick<RunResult, 'said' | 'stray'>;

const CHANNEL = 'on the descriptor of ASSAY_SIGNAL_FD';

/**
 * The reason why a training that had to become ready counts as crashed, though nothing else was wrong with it; null where
 * it became ready, or ended by another cause.
 */
export function unreadyReason(ending: Ending, { said = [], stray }: Heard, warmupS: number): string | null {
  if (said.includes('ready')) return null;
  const instead = stray === undefined ? '' : `; it said ${JSON.stringify(stray)} instead`;
  if (ending.kind === 'limit' && ending.limit === 'warmup')
    return `it did not say "ready" ${CHANNEL} within its warm-up of ${warmupS} s${instead}`;
  if (ending.kind === 'exited' && ending.code === 0)
    return `it ended without saying "ready" ${CHANNEL}, so that it saw no data and its clock never started${instead}`;
  return null;
}

/** Adds to the failure of an artifact that lacks something that its training was never shown what is revealed. */
export function withUntold(
  failure: Failure | null,
  { data }: Pick<Task, 'data'>,
  said: readonly string[],
): Failure | null {
  if (failure === null || data?.reveal === undefined || said.includes('trained')) return failure;
  const reason = `${failure.reason}; training did not say "trained" ${CHANNEL}, so that nothing was shown to it in ASSAY_REVEAL`;
  return { ...failure, reason };
}
