import { ApplicationFailure } from '@temporalio/common';
import { Context } from '@temporalio/activity';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AssayError, ERRORS, messageOf, type ErrorCode, type Retry } from '../src/domain/errors.js';
import { countFailure, failuresBefore } from '../src/domain/failure-counts.js';
import { passesByItself, storeRefusal } from '../src/lineage/store-errors.js';
import { ModelFault } from '../src/model/client.js';

/** Milliseconds until another worker may take it, where the pauses of the retry policy would grow too long. */
const PAUSES: Partial<Record<ErrorCode, number>> = {
  ISOLATION_TOO_WEAK: 3000,
  HOST_CLASS_DIFFERS: 3000,
  ACCELERATORS_DIFFER: 3000,
  NO_FREE_SLOTS: 1000,
};

/** The one place where our errors become Temporal's: the code is the type, and the registry says what is retried. */
function asFailure(error: AssayError, isFinal: boolean): ApplicationFailure {
  const wait = error instanceof ModelFault ? error.retryAfterMs : (PAUSES[error.code] ?? null);
  return ApplicationFailure.create({
    message: `${error.message}. ${error.remedy}${error.detail === '' ? '' : `\n${error.detail}`}`,
    type: error.code,
    nonRetryable: isFinal,
    cause: error,
    ...(wait === null ? {} : { nextRetryDelay: Math.max(1000, wait) }),
  });
}

/** Counts the failure for later attempts, in the heartbeat that the server keeps for them. */
function counted(code: ErrorCode, retry: Retry): boolean {
  const { heartbeat, info } = Context.current();
  const { failures, isFinal } = countFailure(failuresBefore(info.heartbeatDetails), code, retry);
  if (!isFinal) heartbeat({ doing: null, failures });
  return isFinal;
}

/** Turns what an activity threw into what Temporal is told. */
function failureOf(error: unknown): unknown {
  if (error instanceof AssayError) {
    const { retry } = ERRORS[error.code];
    return asFailure(error, retry === 'bounded' ? counted(error.code, retry) : retry === false);
  }
  const refused = storeRefusal(error);
  if (refused !== null) return asFailure(refused, true);
  // a store that is away is waited for without end, as is a cancel on its way; what nobody foresaw is not
  const passes = Context.current().cancellationSignal.aborted || passesByItself(error);
  if (error instanceof ApplicationFailure || passes || !counted('INTERNAL', 'bounded')) return error;
  return asFailure(new AssayError('INTERNAL', messageOf(error), { cause: error }), true);
}

/** Fails attempts of activities so that each cause is retried as often as the registry of errors says. */
export function failureInterceptor(): { inbound: ActivityInboundCallsInterceptor } {
  return {
    inbound: {
      execute: async (input, next) => {
        try {
          return await next(input);
        } catch (error) {
          throw failureOf(error);
        }
      },
    },
  };
}
