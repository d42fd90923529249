import { Client } from '@temporalio/client';
import { openConnection } from '../dev/temporal/connection.js';
import { AssayError, messageOf } from '../domain/errors.js';

/**
 * Connects to a Temporal server.
 * @throws AssayError TEMPORAL_UNAVAILABLE
 */
export async function connectTemporal(address: string, namespace: string): Promise<Client> {
  try {
    const connection = await openConnection({ address });
    return new Client({ connection, namespace });
  } catch (error) {
    throw new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `no Temporal server answers at ${address}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}
