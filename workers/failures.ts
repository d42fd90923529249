import { ApplicationFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor } from '@temporalio/worker';
import { AssayError } from '../src/domain/errors.js';
import { ModelFault } from '../src/model/client.js';

/** The one place where our errors become Temporal's: the code is the type, and the registry says what is retried. */
export function asFailure(error: unknown): unknown {
  if (!(error instanceof AssayError)) return error;
  const wait = error instanceof ModelFault ? error.retryAfterMs : null;
  return ApplicationFailure.create({
    message: `${error.message}. ${error.remedy}`,
    type: error.code,
    nonRetryable: !error.retryable,
    cause: error,
    ...(wait === null ? {} : { nextRetryDelay: Math.max(1000, wait) }),
  });
}

export function failureInterceptor(): { inbound: ActivityInboundCallsInterceptor } {
  return {
    inbound: {
      execute: async (input, next) => {
        try {
          return await next(input);
        } catch (error) {
          throw asFailure(error);
        }
      },
    },
  };
}
