import type { Margin } from '../task/gates.js';
import type { Failure, Outcome } from './outcome.js';

/** Reason of a trial that was not interrupted and has no result. */
export const NOT_MEASURED = 'ended before it was measured';

export function duplicateText(twin: number, { status, lesson }: Outcome): string {
  return `the same code as trial ${twin}, which ended as ${status}: ${lesson}`;
}

export function missText(miss: Margin): string {
  const { gate, metric, value, side, limit, over, doubt } = miss;
  const bound = side === 'max' ? 'at most' : 'at least';
  const found = `${gate}: ${metric} is ${value}, allowed is ${bound} ${limit}`;
  if (doubt === undefined) return `${found}: missed by ${short(over)}`;
  const error = `the mean's standard error is ${short(doubt.standardError)}`;
  return doubt.slack < 0
    ? `${found}, with ${short(-doubt.slack)} to spare: ${over > 0 ? `missed by ${short(over)}` : `only ${short(-over)} is left`} (${error})`
    : `${found}: missed by ${short(over)}, more than chance explains (${error})`;
}

const short = (value: number): number => Number(value.toPrecision(6));

/** Says in one line what failed, in the words of the log's last line where that has them. */
export function failureText(failure: Failure): string {
  const last = failure.tail.trim().split('\n').at(-1) ?? '';
  const reason = failure.reason === '' || last.includes(failure.reason) ? last : failure.reason;
  return `${failure.phase}: ${reason}`.slice(0, 400);
}
