import { isGrpcServiceError } from '@temporalio/client';
import { AssayError, messageOf } from '../domain/errors.js';
import { isStoreOutage, storeRefusal } from '../lineage/store-errors.js';

/** Workers retry by themselves; a command has ended. */
const RUN_AGAIN = 'Check the store that `assay doctor` names, then run the command again.';

/** Maps what a server's client throws for an unreachable server to the error registry; returns other errors as they are. */
export function knownError(error: unknown): unknown {
  if (isStoreOutage(error))
    return new AssayError('STORE_UNREACHABLE', `the store does not answer: ${messageOf(error)}`, {
      cause: error,
      remedy: RUN_AGAIN,
    });
  if (error instanceof AssayError && error.code === 'STORE_UNREACHABLE')
    return new AssayError(error.code, error.message, { cause: error.cause, remedy: RUN_AGAIN });
  if (error instanceof AssayError) return error;
  const refused = storeRefusal(error);
  if (refused !== null) return refused;
  if (isGrpcServiceError(error))
    return new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `Temporal does not answer: ${error.details || error.message}`,
      { cause: error },
    );
  return error;
}
