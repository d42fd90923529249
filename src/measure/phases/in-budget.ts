import { isSlow, type HostUse } from '../../domain/trial/host-use.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { isFinal, type Overrun } from '../../domain/trial/overrun.js';
import type { RunResult } from '../../sandbox/run.js';

/** A run of a phase, with the usual speed of its host where that was asked for. */
export interface BudgetedRun {
  result: Pick<RunResult, 'ending' | 'hostSpeed' | 'cpuS' | 'load'>;
  usualSpeed: number | null;
}

/** Result of the runs of one phase. */
export interface InBudget<R> {
  /** The one that counts. */
  last: R;
  /** An overrun on a slow host before it. */
  repeated: R | null;
  /** The overruns, where all runs were ended at the limit; else none. */
  overruns: Overrun[];
}

/**
 * Runs a phase. Where it reached its limit on a host that was slower than usual, it is run once more before that is
 * final.
 */
export async function runInBudget<R extends BudgetedRun>(
  run: (again: boolean) => Promise<R>,
): Promise<InBudget<R>> {
  const first = await run(false);
  const overrun = overrunOf(first);
  if (overrun === null) return { last: first, repeated: null, overruns: [] };
  if (isFinal(overrun)) return { last: first, repeated: null, overruns: [overrun] };
  const second = await run(true);
  const again = overrunOf(second);
  return { last: second, repeated: first, overruns: again === null ? [] : [overrun, again] };
}

/** The overrun that a run ended as; null where it did not end at its wall limit, or at that of its warm-up. */
export function overrunOf(run: Pick<BudgetedRun, 'result' | 'usualSpeed'>): Overrun | null {
  const { ending, hostSpeed, cpuS, load } = run.result;
  if (ending.kind !== 'limit' || (ending.limit !== 'wall' && ending.limit !== 'warmup')) return null;
  return { usedS: ending.used, hostSpeed, usualSpeed: run.usualSpeed, cpuS, load };
}

/** An evaluation, with the hosts of its programs. */
export interface BudgetedEvaluation {
  failure: Failure | null;
  runs: readonly Pick<HostUse, 'hostSpeed' | 'usualSpeed'>[];
}

/**
 * Evaluates; once more where it was out of time on a host that was slower than usual. `repeated` is the evaluation
 * that does not count then.
 */
export async function evaluateInBudget<E extends BudgetedEvaluation>(
  evaluate: (again: boolean) => Promise<E>,
): Promise<{ last: E; repeated: E | null }> {
  const first = await evaluate(false);
  if (first.failure?.status !== 'eval_budget_overrun' || !first.runs.some(isSlow))
    return { last: first, repeated: null };
  const second = await evaluate(true);
  if (second.failure?.status !== 'eval_budget_overrun') return { last: second, repeated: first };
  // agents read it: figures of a server that has seen held-out text could tell them of it, people find them in its runs
  const busyHost = second.runs.some(isSlow);
  const host = `slower than usual ${busyHost ? 'both times' : 'the first time'}`;
  const reason = `${second.failure.reason}, and again when it was measured once more; the host was ${host}`;
  return { last: { ...second, failure: { ...second.failure, reason, busyHost } }, repeated: first };
}
