import { z } from 'zod';
import type { ErrorCode, Retry } from './errors.js';

/**
 * Failures of one cause after which a fault that may be one host's, or a bug of ours, needs a person. With the pauses
 * of the retry policy that is after about a minute and a half.
 */
export const BOUNDED_FAILURES = 10;

const failuresSchema = z.record(z.string(), z.number().int().nonnegative());
/** How often an activity has failed before, by the code of the error. */
export type Failures = z.infer<typeof failuresSchema>;

const detailsSchema = z.looseObject({
  doing: z.string().nullable().catch(null),
  failures: failuresSchema.catch({}),
});

/** The failures that earlier attempts of an activity have left in its heartbeat. */
export function failuresBefore(details: unknown): Failures {
  return detailsSchema.safeParse(details).data?.failures ?? {};
}

/** Reads from a heartbeat what its activity is doing. */
export function doingIn(details: unknown): string | null {
  return detailsSchema.safeParse(details).data?.doing ?? null;
}

/** Counts one more failure: an outage that failed twelve attempts says nothing about a fault of the host after it. */
export function countFailure(
  before: Failures,
  code: ErrorCode,
  retry: Retry,
): { failures: Failures; isFinal: boolean } {
  const count = (before[code] ?? 0) + 1;
  return {
    failures: { ...before, [code]: count },
    isFinal: retry === false || (retry === 'bounded' && count >= BOUNDED_FAILURES),
  };
}
