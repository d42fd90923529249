import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreOutage } from './lineage.js';

const OUTAGE_PAUSE_MS = 2000;

/** Writes a finished result however long the store is away: what was computed is not thrown away for an outage. */
export async function persist<T>(signal: AbortSignal, write: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!isStoreOutage(error) || signal.aborted) throw error;
      await sleep(OUTAGE_PAUSE_MS, undefined, { signal });
    }
  }
}
