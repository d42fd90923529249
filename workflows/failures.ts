import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

/** The failure of an activity as the failure itself, so that whoever asked reads the reason and not where it arose. */
export function unwrapActivityFailure(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return error;
  const { message, type } = error.cause;
  return ApplicationFailure.create({ message, type: type ?? 'INTERNAL', nonRetryable: true });
}

/** What an activity said when it gave up, with its remedy. */
export function failureMessage(failure: ActivityFailure): string {
  return failure.cause?.message ?? failure.message;
}
