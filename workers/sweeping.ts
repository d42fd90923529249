import { setTimeout as sleep } from 'node:timers/promises';
import type { HostStore } from '../src/measure/host-store/host-store.js';
import { sweepDeadWorkers } from '../src/sandbox/host/worker-folders.js';
import { logger } from './logging.js';

const EVERY_MS = 5 * 60_000;

/**
 * Every few minutes ends what dead workers of this host have left, as is done when a worker starts: a host may run
 * for weeks beside one that died. Then lets go of what the host keeps beyond its bound, which is less on a disk that
 * others fill. Returns what stops it.
 */
export function keepSweeping(
  work: string,
  kept: Pick<HostStore, 'sweep'>,
  everyMs = EVERY_MS,
): () => Promise<void> {
  const stop = new AbortController();
  const { signal } = stop;
  const sweeping = (async () => {
    for (;;) {
      await sleep(everyMs, undefined, { signal });
      try {
        for (const swept of await sweepDeadWorkers(work))
          logger.info('swept after a dead worker', { ...swept });
      } catch (error) {
        logger.warn('could not sweep after dead workers', { error });
      }
      try {
        for (const pin of await kept.sweep())
          logger.warn('a pin cannot be read, so that nothing leaves this host; remove it', { pin });
      } catch (error) {
        logger.warn('could not sweep what this host keeps', { error });
      }
    }
  })().catch(() => undefined);
  return async () => {
    stop.abort();
    await sweeping;
  };
}
