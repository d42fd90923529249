import { setTimeout as sleep } from 'node:timers/promises';
import { isStoreOutage } from './store-errors.js';

const OUTAGE_PAUSE_MS = 2000;

/**
 * Writes a finished result, retrying for as long as the store is unreachable: an outage must not discard what was
 * computed.
 */
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
