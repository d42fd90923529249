import { isGrpcServiceError, ServiceError } from '@temporalio/client';
import { GRPC } from '../dev/temporal/grpc-status.js';
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
  const grpc = grpcErrorIn(error);
  if (grpc === null) return error;
  return new AssayError('TEMPORAL_UNAVAILABLE', `Temporal does not answer: ${grpc.text}`, { cause: error });
}

/** Statuses of a Temporal server that is away or has too much to do, and answers later. */
const AWAY: ReadonlySet<number> = new Set([
  GRPC.CANCELLED,
  GRPC.UNKNOWN,
  GRPC.DEADLINE_EXCEEDED,
  GRPC.RESOURCE_EXHAUSTED,
  GRPC.ABORTED,
  GRPC.INTERNAL,
  GRPC.UNAVAILABLE,
]);

/** Returns the error of a server that is away and may come back; null for a refusal, and for a request that is wrong. */
export function outageIn(error: unknown): AssayError | null {
  const known = knownError(error);
  if (!(known instanceof AssayError)) return null;
  if (known.code === 'STORE_UNREACHABLE') return known;
  if (known.code !== 'TEMPORAL_UNAVAILABLE') return null;
  const grpc = grpcErrorIn(known.cause);
  return grpc === null || AWAY.has(grpc.code) ? known : null;
}

/** Finds the failed call to Temporal in an error of its client, which wraps those of calls about workflows. */
function grpcErrorIn(error: unknown): { code: number; text: string } | null {
  if (isGrpcServiceError(error)) return { code: error.code, text: error.details || error.message };
  return error instanceof ServiceError ? grpcErrorIn(error.cause) : null;
}
