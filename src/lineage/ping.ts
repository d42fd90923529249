import { MongoClient } from 'mongodb';
import { z } from 'zod';
import { storeFault } from './store-fault.js';

const helloShape = z.object({ maxWireVersion: z.number().int() });
const buildShape = z.object({ version: z.string() });

/** Answer of a store about itself. */
export interface StoreAnswer {
  /** Newest wire protocol that it speaks; drivers refuse one that is too old. */
  wireVersion: number;
  version: string;
}

/**
 * Pings the store over a connection of its own.
 * @throws AssayError STORE_UNREACHABLE when it does not answer in time, STORE_UNAVAILABLE when it never will
 */
export async function pingStore(url: string, timeoutMs: number): Promise<StoreAnswer> {
  let client: MongoClient | null = null;
  try {
    client = new MongoClient(url, {
      serverSelectionTimeoutMS: timeoutMs,
      connectTimeoutMS: timeoutMs,
      appName: 'assay',
    });
    await client.connect();
    const admin = client.db('admin');
    // not `hello`: the fallback store only knows the older name
    const hello = helloShape.parse(await admin.command({ isMaster: 1 }, { timeoutMS: timeoutMs }));
    const build = buildShape.parse(await admin.command({ buildInfo: 1 }, { timeoutMS: timeoutMs }));
    return { wireVersion: hello.maxWireVersion, version: build.version };
  } catch (error) {
    throw storeFault(url, error, { urlRead: client !== null });
  } finally {
    await client?.close();
  }
}
