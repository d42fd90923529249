import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, it } from 'vitest';
import { AssayError, ERRORS, type ErrorCode } from '../../src/domain/errors.js';
import { ModelFault } from '../../src/model/model-fault.js';
import { asFailure, BOUNDED_ATTEMPTS, failureInterceptor } from '../../workers/failures.js';

const CODES = Object.keys(ERRORS).filter((code): code is ErrorCode => code in ERRORS);

describe('an error of assay as a failure of Temporal', () => {
  it.each(CODES)('%s: is retried as often as the registry says, under its code', (code) => {
    const retriedAt = (attempt: number): boolean =>
      asFailure(new AssayError(code, 'x'), attempt).nonRetryable !== true;
    const { retry, remedy } = ERRORS[code];
    expect(retriedAt(1)).toBe(retry !== false);
    expect(retriedAt(BOUNDED_ATTEMPTS)).toBe(retry === 'endless');
    const failure = asFailure(new AssayError(code, 'x'), 1);
    expect(failure).toMatchObject({ type: code, message: `x. ${remedy}` });
  });

  it.each([
    [5000, 5000],
    [20, 1000],
    [null, undefined],
  ])('waits as long as the provider asks, and no less than a second: %s', (asked, waits) => {
    const fault = new ModelFault('MODEL_OVERLOADED', 'busy', asked, false);
    expect(asFailure(fault, 1).nextRetryDelay).toBe(waits);
  });

  it('is soon taken by another worker where this one is too weak', () => {
    expect(asFailure(new AssayError('ISOLATION_TOO_WEAK', 'x'), 1).nextRetryDelay).toBe(3000);
  });
});

const silent = new DefaultLogger('ERROR', () => undefined);

/** What comes of an activity that throws in this attempt. */
async function thrown(error: Error, attempt: number, cancelled = false): Promise<unknown> {
  const options = { interceptors: [failureInterceptor], logger: silent };
  const environment = new MockActivityEnvironment({ attempt }, options);
  if (cancelled) environment.cancel();
  return environment.run(() => Promise.reject(error)).catch((failure: unknown) => failure);
}

describe('an activity that fails', () => {
  it('says an error of assay by its code', async () => {
    expect(await thrown(new AssayError('HOST_FAULT', 'x'), 1)).toMatchObject({ type: 'HOST_FAULT' });
  });

  it('leaves a failure of Temporal as it is', async () => {
    const failure = ApplicationFailure.nonRetryable('x', 'OWN');
    expect(await thrown(failure, BOUNDED_ATTEMPTS)).toBe(failure);
  });

  it('calls what nobody foresaw a bug of ours, but only after it came again and again', async () => {
    const bug = new TypeError('x is not a function');
    expect(await thrown(bug, BOUNDED_ATTEMPTS - 1)).toBe(bug);
    expect(await thrown(bug, BOUNDED_ATTEMPTS)).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
    expect(await thrown(bug, BOUNDED_ATTEMPTS, true)).toBe(bug);
  });
});
