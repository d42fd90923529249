import { isGrpcServiceError } from '@temporalio/client';
import { messageOf } from '../../domain/errors.js';
import { probePort } from '../process/probe-port.js';
import { openConnection } from './connection.js';
import { GRPC } from './grpc-status.js';
import { NamespaceMissing } from './namespace-missing.js';

/**
 * Checks that a Temporal server answers and has the namespace; returns its version.
 * @throws NamespaceMissing; Error that says why there is no answer
 */
export async function askTemporal(address: string, namespace: string, timeoutMs: number): Promise<string> {
  await probePort(address, timeoutMs);
  const connection = await openConnection({ address, connectTimeout: timeoutMs }).catch((error: unknown) => {
    throw new Error(`${address} listens, but not as Temporal: ${messageOf(error)}`, { cause: error });
  });
  try {
    return await connection.withDeadline(Date.now() + timeoutMs, async () => {
      const system = await connection.workflowService.getSystemInfo({});
      await connection.workflowService.describeNamespace({ namespace }).catch((error: unknown) => {
        const code: number | null = isGrpcServiceError(error) ? error.code : null;
        if (code !== GRPC.NOT_FOUND) throw error;
        throw new NamespaceMissing(`no namespace "${namespace}" at ${address}: ${messageOf(error)}`, {
          cause: error,
        });
      });
      return system.serverVersion;
    });
  } finally {
    await connection.close();
  }
}
