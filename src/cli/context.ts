import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { findServers, type Servers } from '../dev/servers.js';
import { NEVER, abortable } from '../dev/process/abortable.js';
import { namedStore } from '../dev/external.js';
import { ensureKeeper } from '../dev/store/keeper.js';
import { homeFolder, ROOT } from './folders.js';
import { openLineage, type Lineage } from '../lineage/lineage.js';
import { within } from './terminal/deadline.js';
import { say } from './terminal/terminal.js';

/** Servers and store of a command while it runs; at its end it stops those that no other command uses. */
export interface CommandContext {
  servers: Servers;
  lineage: Lineage;
  /** Connects on first use. */
  client(): Promise<Client>;
}

const CLOSE_MS = 1000;
/** The command that keeps the store of this clone for commands that read it. */
const KEEPER = [process.execPath, join(ROOT, 'bin/assay.js'), 'keep-store'];

/**
 * Finds or starts the servers a command needs, runs it, and leaves nothing behind but a store that
 * is kept for the next command that reads, and ends by itself. While the servers start, aborting
 * `signal` ends them again and rejects with its reason; after that it is for `use` to obey it.
 */
export async function withContext<T>(
  need: ('temporal' | 'store')[],
  use: (ground: CommandContext) => Promise<T>,
  signal: AbortSignal = NEVER,
): Promise<T> {
  const home = homeFolder();
  const reads = !need.includes('temporal') && namedStore() === null;
  if (reads) await ensureKeeper(home, KEEPER, say, signal);
  const servers = await findServers({ home, need, say, signal, role: reads ? 'read' : 'run' });
  let connected: Client | null = null;
  try {
    const lineage = await abortable(signal, openLineage(servers.store, { say }));
    try {
      const client = async (): Promise<Client> => {
        const { address, namespace } = servers.temporal;
        // most commands only read the store: they are spared the loading of Temporal's client
        const { connectTemporal } = await import('./connect.js');
        return (connected ??= await connectTemporal(address, namespace));
      };
      return await use({ servers, lineage, client });
    } finally {
      await within(CLOSE_MS, 'the connection to the store', lineage.close());
    }
  } finally {
    await closeQuietly(connected);
    await servers.stop({ hurried: signal.aborted });
  }
}

async function closeQuietly(client: Client | null): Promise<void> {
  await client?.connection.close().catch(() => undefined);
}
