import {
  MongoError,
  MongoGridFSChunkError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from 'mongodb';
import { AssayError } from '../domain/errors.js';

/** A stepdown, a primary that is not one any more: labels that the driver puts on what passes by itself. */
const OUTAGE_LABELS = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError', 'ResetPool'];

/**
 * Codes of a server that pass without a change of what was asked: stepdowns, shutdowns, timeouts, conflicts and full
 * disks; and logins and rights, which a person gives back. From the server's error_codes.yml.
 */
const PASSING_CODES = new Set<unknown>([
  6, 7, 11, 13, 18, 24, 43, 46, 50, 64, 79, 89, 91, 100, 112, 133, 134, 146, 189, 202, 211, 251, 262, 290,
  317, 358, 391, 402, 462, 8000, 9001, 10058, 10107, 11600, 11601, 11602, 13388, 13435, 13436, 14031,
]);

/**
 * Codes of a server that come back however often the same is asked: bad values and names, and documents that are too
 * large. From the server's error_codes.yml; the last three are of the storage engine.
 */
const PERMANENT_CODES = new Set<unknown>([
  2, 9, 14, 22, 28, 40, 52, 53, 54, 55, 56, 57, 59, 66, 72, 73, 115, 121, 238, 10334, 17280, 17419, 17420,
]);

/** Returns true when an error means that the store is unreachable, so that a later retry can help. */
export function isStoreOutage(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoTopologyClosedError ||
    (error instanceof MongoError && OUTAGE_LABELS.some((label) => error.hasErrorLabel(label)))
  );
}

/**
 * Returns true when an error of the store may pass by itself, however long that takes. Of what a server says, only
 * known codes do; others are retried for a while, and then need a person.
 */
export function passesByItself(error: unknown): boolean {
  if (!(error instanceof MongoError) || isPermanent(error)) return false;
  if (isStoreOutage(error) || error instanceof MongoWriteConcernError) return true;
  return !(error instanceof MongoServerError) || PASSING_CODES.has(error.code);
}

/** Explains what the store will never do as it was asked; returns null for other errors. */
export function storeRefusal(error: unknown): AssayError | null {
  if (!(error instanceof MongoError) || !isPermanent(error)) return null;
  return new AssayError('STORE_REFUSED', `the store refuses it: ${error.message}`, { cause: error });
}

/** Explains a failure that comes back however often the same is tried; returns null for what may pass. */
export function lastingFailure(error: unknown): AssayError | null {
  if (error instanceof AssayError) return error.retryable ? null : error;
  return storeRefusal(error);
}

function isPermanent(error: MongoError): boolean {
  return (
    error instanceof MongoInvalidArgumentError ||
    error instanceof MongoParseError ||
    error instanceof MongoGridFSChunkError ||
    (error instanceof MongoServerError && PERMANENT_CODES.has(error.code))
  );
}
