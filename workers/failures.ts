import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AssayError, ERRORS, messageOf, type ErrorCode } from '../src/domain/errors.js';
import { isStoreTrouble } from '../src/lineage/lineage.js';
import { ModelFault } from '../src/model/client.js';

/**
 * Attempts of one activity after which a fault that may be one host's, or a bug of ours, needs a person. With the
 * pauses of the retry policy that is after about a minute and a half.
 */
export const BOUNDED_ATTEMPTS = 10;

/** Milliseconds until another worker may take it, where the pauses of the retry policy would grow too long. */
const PAUSES: Partial<Record<ErrorCode, number>> = { ISOLATION_TOO_WEAK: 3000 };

/** The one place where our errors become Temporal's: the code is the type, and the registry says what is retried. */
export function asFailure(error: AssayError, attempt: number): ApplicationFailure {
  const { retry } = ERRORS[error.code];
  const wait = error instanceof ModelFault ? error.retryAfterMs : (PAUSES[error.code] ?? null);
  return ApplicationFailure.create({
    message: `${error.message}. ${error.remedy}`,
    type: error.code,
    nonRetryable: retry === false || (retry === 'bounded' && attempt >= BOUNDED_ATTEMPTS),
    cause: error,
    ...(wait === null ? {} : { nextRetryDelay: Math.max(1000, wait) }),
  });
}

/**
 * Returns true for what passes by itself: an unreachable store and a cancel on its way are waited for without end, an
 * unforeseen error is not.
 */
function passesByItself(error: unknown, attempt: number): boolean {
  const { cancellationSignal } = Context.current();
  return cancellationSignal.aborted || isStoreTrouble(error) || attempt < BOUNDED_ATTEMPTS;
}

export function failureInterceptor(): { inbound: ActivityInboundCallsInterceptor } {
  return {
    inbound: {
      execute: async (input, next) => {
        try {
          return await next(input);
        } catch (error) {
          const { attempt } = Context.current().info;
          if (error instanceof AssayError) throw asFailure(error, attempt);
          if (error instanceof ApplicationFailure || passesByItself(error, attempt)) throw error;
          throw asFailure(new AssayError('INTERNAL', messageOf(error), { cause: error }), attempt);
        }
      },
    },
  };
}
