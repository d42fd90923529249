import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';

/** The failure of an activity as the failure itself, so that whoever asked reads the reason and not where it arose. */
export function plainly(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return error;
  const { message, type } = error.cause;
  return ApplicationFailure.create({ message, type: type ?? 'INTERNAL', nonRetryable: true });
}
