import { MongoCompatibilityError, MongoServerError } from 'mongodb';
import { AssayError, messageOf } from '../domain/errors.js';
import { withoutPassword } from '../domain/text/redaction.js';

/** Unauthorized, AuthenticationFailed, and the name under which Atlas reports the latter. */
const LOGIN_CODES = new Set<unknown>([13, 18, 8000]);

/**
 * Explains why the store of a URL cannot be used; `urlRead` is false when the driver already failed to read the URL.
 * The password of the URL is in no part of the error. STORE_UNAVAILABLE: a person has to change something;
 * STORE_UNREACHABLE: it may come back by itself.
 */
export function storeFault(url: string, error: unknown, { urlRead }: { urlRead: boolean }): AssayError {
  if (error instanceof AssayError) return error;
  const said = withoutPassword(url, messageOf(error));
  const leaks = withoutPassword(url, textOf(error)) !== textOf(error);
  const options = leaks ? {} : { cause: error };
  if (error instanceof MongoServerError && LOGIN_CODES.has(error.code))
    return new AssayError('STORE_UNAVAILABLE', `the store refuses the login: ${said}`, {
      ...options,
      remedy:
        'Put a user and password that may read and write the database into ASSAY_MONGODB_URL: mongodb://USER:PASSWORD@HOST:PORT/.',
    });
  if (isTooOld(error))
    return new AssayError('STORE_UNAVAILABLE', `the store is of a version that cannot be used: ${said}`, {
      ...options,
      remedy: 'Use MongoDB 4.4 or later.',
    });
  if (!urlRead)
    return new AssayError('STORE_UNAVAILABLE', `the address of the store is no MongoDB URL: ${said}`, {
      ...options,
      remedy: 'Write it as mongodb://USER:PASSWORD@HOST:PORT/, with special characters percent-encoded.',
    });
  return new AssayError('STORE_UNREACHABLE', `the store does not answer: ${said}`, options);
}

/**
 * Returns true when the store's wire protocol is too old: the driver notices in a handshake and reports it as the
 * cause of a later error.
 */
function isTooOld(error: unknown): boolean {
  if (error instanceof MongoCompatibilityError) return true;
  return error instanceof Error && error.cause !== undefined && isTooOld(error.cause);
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.stack ?? ''} ${textOf(error.cause)}` : String(error);
}
