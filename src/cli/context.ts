import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { AssayError, messageOf } from '../domain/errors.js';
import { findServers, type Servers } from '../dev/servers.js';
import { NEVER, abortable } from '../dev/process/abortable.js';
import { cacheFolder, homeOf } from '../dev/paths.js';
import { openLineage, type Lineage } from '../lineage/lineage.js';
import { within } from './terminal/deadline.js';
import { say } from './terminal/terminal.js';

/** The folder that assay runs from: the clone, or the installed package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export function homeFolder(): string {
  return homeOf(ROOT);
}

export { cacheFolder };

/** Servers and store of a command while it runs; everything that it started is stopped at its end. */
export interface CommandContext {
  servers: Servers;
  lineage: Lineage;
  /** Connects on first use. */
  client(): Promise<Client>;
}

const CLOSE_MS = 1000;

/**
 * Finds or starts the servers a command needs, runs it, and leaves nothing behind. While the servers start, aborting
 * `signal` ends them again and rejects with its reason; after that it is for `use` to obey it.
 */
export async function withContext<T>(
  need: ('temporal' | 'store')[],
  use: (ground: CommandContext) => Promise<T>,
  signal: AbortSignal = NEVER,
): Promise<T> {
  const servers = await findServers({ home: homeFolder(), need, say, signal });
  let connection: Connection | null = null;
  try {
    const lineage = await abortable(signal, openLineage(servers.store, { say }));
    try {
      const client = async (): Promise<Client> => {
        connection ??= await connect(servers.temporal.address);
        return new Client({ connection, namespace: servers.temporal.namespace });
      };
      return await use({ servers, lineage, client });
    } finally {
      await within(CLOSE_MS, 'the connection to the store', lineage.close());
    }
  } finally {
    await closeQuietly(connection);
    await servers.stop({ hurried: signal.aborted });
  }
}

async function closeQuietly(connection: Connection | null): Promise<void> {
  await connection?.close().catch(() => undefined);
}

async function connect(address: string): Promise<Connection> {
  try {
    return await Connection.connect({ address });
  } catch (error) {
    throw new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `no Temporal server answers at ${address}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Folder of the bundled tasks. */
export const BUNDLED_TASKS = join(ROOT, 'tasks');
