import type { Margin } from '../task/gates.js';
import type { Failure, Outcome } from './outcome.js';

/** Reason of a trial that was not interrupted and has no result. */
export const NOT_MEASURED = 'ended before it was measured';

export function duplicateText(twin: number, { status, lesson }: Outcome): string {
  return `the same code as trial ${twin}, which ended as ${status}: ${lesson}`;
}

export function missText(miss: Margin): string {
  const bound = miss.side === 'max' ? 'at most' : 'at least';
  return `${miss.gate}: ${miss.metric} is ${miss.value}, allowed is ${bound} ${miss.limit}: missed by ${Number(miss.over.toPrecision(6))}`;
}

/** Says in one line what failed, in the words of the log's last line where that has them. */
export function failureText(failure: Failure): string {
  const last = failure.tail.trim().split('\n').at(-1) ?? '';
  const reason = failure.reason === '' || last.includes(failure.reason) ? last : failure.reason;
  return `${failure.phase}: ${reason}`.slice(0, 400);
}
