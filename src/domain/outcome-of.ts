import { firstMiss, margins, type Margin } from './gates.js';
import { unmeasured, type Failure, type Outcome } from './outcome.js';
import type { Task } from './task.js';

interface Measured {
  failure: Failure | null;
  metrics: Record<string, number>;
}

/** What the phases of a trial have left in the store. */
export interface Evidence {
  preflight: Failure | null;
  trained: Measured | null;
  evaluated: (Measured & { feedback: string }) | null;
  /** The metric that the decision uses. */
  metric: string;
}

/** The gate that is about size has a status of its own: such a trial was never evaluated. */
function statusOfMiss(task: Task, miss: Margin): 'size_blocked' | 'disqualified' {
  const gate = task.gates.find((candidate) => candidate.name === miss.gate);
  return gate?.known === 'evaluate' || gate?.known === 'train' ? 'disqualified' : 'size_blocked';
}

/**
 * What a trial comes to by its own evidence, with `discard` standing for whatever the decision rule will say of a
 * measured one; null when its phases have not all run.
 */
export function outcomeOf(task: Task, { preflight, trained, evaluated, metric }: Evidence): Outcome | null {
  const metrics = { ...trained?.metrics, ...evaluated?.metrics };
  const found = margins(task.gates, metrics);
  const failure = preflight ?? trained?.failure ?? evaluated?.failure ?? null;
  if (failure !== null)
    return {
      ...unmeasured(failure.status, lessonOf(failure)),
      failure,
      metrics,
      margins: marginsOf(failure, found),
    };
  const miss = firstMiss(found);
  const score = metrics[metric] ?? null;
  if (miss !== undefined)
    return {
      ...unmeasured(statusOfMiss(task, miss), missText(miss)),
      score,
      metrics,
      margins: found,
      feedback: evaluated?.feedback ?? '',
    };
  if (trained === null || evaluated === null || score === null) return null;
  return { ...unmeasured('discard', ''), score, metrics, margins: found, feedback: evaluated.feedback };
}

/** Near gates matter to agents; those of a failed trial are given only where they explain it. */
function marginsOf(failure: Failure, found: Margin[]): Margin[] {
  return failure.status === 'size_blocked' ? found : [];
}

export function missText(miss: Margin): string {
  const bound = miss.side === 'max' ? 'at most' : 'at least';
  return `${miss.gate}: ${miss.metric} is ${miss.value}, allowed is ${bound} ${miss.limit}: missed by ${Number(miss.over.toPrecision(6))}`;
}

function lessonOf(failure: Failure): string {
  const last = failure.tail.trim().split('\n').at(-1) ?? '';
  const reason = failure.reason === '' || last.includes(failure.reason) ? last : failure.reason;
  return `${failure.phase}: ${reason}`.slice(0, 400);
}
