import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { Reason } from '../src/domain/campaign/reasons.js';

/** Returns the cause of an activity's failure, so that the caller reads the reason and not where it arose. */
export function unwrapActivityFailure(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return error;
  const { message, type } = error.cause;
  return ApplicationFailure.create({ message, type: type ?? 'INTERNAL', nonRetryable: true });
}

/** Builds the reason from the message, the remedy and the error code of an activity that gave up. */
export function faultReason(what: string, failure: ActivityFailure): Reason {
  const { cause } = failure;
  const code = cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
  return { kind: 'fault', what, code, text: cause?.message ?? failure.message };
}
