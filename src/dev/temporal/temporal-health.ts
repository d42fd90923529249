import { messageOf } from '../../domain/errors.js';
import { probePort } from '../process/probe-port.js';
import { openConnection } from './connection.js';

/**
 * Checks that a Temporal server answers and has the namespace; returns its version.
 * @throws Error that says which of the two fails
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
        throw new Error(`no namespace "${namespace}" at ${address}: ${messageOf(error)}`, { cause: error });
      });
      return system.serverVersion;
    });
  } finally {
    await connection.close();
  }
}
