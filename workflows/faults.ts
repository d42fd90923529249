import type { ActivityFailure } from '@temporalio/workflow';

/** What an activity said when it gave up, with its remedy. */
export function saidBy(failure: ActivityFailure): string {
  return failure.cause?.message ?? failure.message;
}
