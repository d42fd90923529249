import { MockActivityEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger } from '@temporalio/worker';
import {
  MongoGridFSChunkError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { AssayError, ERRORS, type ErrorCode } from '../../src/domain/errors.js';
import { BOUNDED_FAILURES } from '../../src/domain/failure-counts.js';
import { ModelFault } from '../../src/model/model-fault.js';
import { failureInterceptor } from '../../workers/failures.js';

const CODES = Object.keys(ERRORS).filter((code): code is ErrorCode => code in ERRORS);
const silent = new DefaultLogger('ERROR', () => undefined);

/** Runs an activity that throws after this many earlier failures of one code; returns the failure. */
async function thrown(
  error: Error,
  { code, earlier, cancelled = false }: { code: string; earlier: number; cancelled?: boolean },
): Promise<unknown> {
  const heartbeatDetails = { doing: null, failures: { [code]: earlier } };
  const options = { interceptors: [failureInterceptor], logger: silent };
  const environment = new MockActivityEnvironment({ heartbeatDetails }, options);
  if (cancelled) environment.cancel();
  return environment.run(() => Promise.reject(error)).catch((failure: unknown) => failure);
}

const first = { code: 'INTERNAL', earlier: 0 };
const last = { code: 'INTERNAL', earlier: BOUNDED_FAILURES - 1 };

describe('an error of assay as a failure of Temporal', () => {
  it.each(CODES)('%s: is retried as often as the registry says, under its code', async (code) => {
    const { retry, remedy } = ERRORS[code];
    const error = new AssayError(code, 'x');
    expect(await thrown(error, first)).toMatchObject({
      type: code,
      message: `x. ${remedy}`,
      nonRetryable: retry === false,
    });
    expect(await thrown(error, { code, earlier: BOUNDED_FAILURES - 1 })).toMatchObject({
      nonRetryable: retry !== 'endless',
    });
  });

  it.each([
    [5000, 5000],
    [20, 1000],
    [null, undefined],
  ])('waits as long as the provider asks, and no less than a second: %s', async (asked, waits) => {
    const fault = await thrown(new ModelFault('MODEL_OVERLOADED', 'busy', asked, false), first);
    expect(fault).toMatchObject({ type: 'MODEL_OVERLOADED' });
    expect(fault instanceof ApplicationFailure && (fault.nextRetryDelay ?? undefined)).toBe(waits);
  });

  it.each(['ISOLATION_TOO_WEAK', 'HOST_CLASS_DIFFERS'] as const)(
    'is soon taken by another worker where this one may not do it: %s',
    async (code) => {
      const unfit = await thrown(new AssayError(code, 'x'), first);
      expect(unfit).toMatchObject({ nextRetryDelay: 3000 });
    },
  );
});

describe('an activity that fails', () => {
  it('leaves a failure of Temporal as it is', async () => {
    const failure = ApplicationFailure.nonRetryable('x', 'OWN');
    expect(await thrown(failure, last)).toBe(failure);
  });

  it('calls what nobody foresaw a bug of ours, but only after it came again and again', async () => {
    const bug = new TypeError('x is not a function');
    expect(await thrown(bug, { code: 'INTERNAL', earlier: BOUNDED_FAILURES - 2 })).toBe(bug);
    expect(await thrown(bug, last)).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
    expect(await thrown(bug, { ...last, cancelled: true })).toBe(bug);
  });

  const said = (code: number): MongoServerError => new MongoServerError({ message: `code ${code}`, code });

  const passing: readonly (readonly [string, Error])[] = [
    ['a store that is away', new MongoNetworkError('away')],
    ['a primary that stepped down', said(189)],
    ['a full disk', said(14031)],
    ['a login that a person gives back', said(18)],
    ['a connection that is being closed', new MongoNotConnectedError('closed')],
  ];
  it.each(passing)('waits for %s without end', async (_, error) => {
    expect(await thrown(error, last)).toBe(error);
  });

  const permanent: readonly (readonly [string, Error])[] = [
    ['a document that is too large', said(10334)],
    ['a value that the store does not take', said(2)],
    ['an argument that the driver does not take', new MongoInvalidArgumentError('no')],
    ['a chunk that is missing', new MongoGridFSChunkError('ChunkIsMissing: got unexpected n: 1')],
  ];
  it.each(permanent)('gives up at once for %s, which blocks with the reason', async (_, error) => {
    expect(await thrown(error, first)).toMatchObject({
      type: 'STORE_REFUSED',
      nonRetryable: true,
      message: expect.stringContaining(error.message) as string,
    });
  });

  it('retries what only the store knows for a while, and not without end', async () => {
    const unknown = said(4711);
    expect(await thrown(unknown, first)).toBe(unknown);
    expect(await thrown(unknown, last)).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
  });
});
