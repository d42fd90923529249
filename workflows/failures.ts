import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { Reason } from '../src/domain/campaign/reasons.js';

/** The failure of an activity as the failure itself, so that whoever asked reads the reason and not where it arose. */
export function unwrapActivityFailure(error: unknown): unknown {
  if (!(error instanceof ActivityFailure) || !(error.cause instanceof ApplicationFailure)) return error;
  const { message, type } = error.cause;
  return ApplicationFailure.create({ message, type: type ?? 'INTERNAL', nonRetryable: true });
}

/** What an activity said when it gave up, with its remedy, and the code of its error. */
export function faultReason(what: string, failure: ActivityFailure): Reason {
  const { cause } = failure;
  const code = cause instanceof ApplicationFailure ? (cause.type ?? null) : null;
  return { kind: 'fault', what, code, text: cause?.message ?? failure.message };
}
