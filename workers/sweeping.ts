import { setTimeout as sleep } from 'node:timers/promises';
import { sweepDeadWorkers } from '../src/sandbox/host/worker-folders.js';
import { logger } from './logging.js';

const EVERY_MS = 5 * 60_000;

/**
 * Every few minutes ends what dead workers of this host have left, as is done when a worker starts: a host may run
 * for weeks beside one that died. Returns what stops it.
 */
export function keepSweeping(work: string, everyMs = EVERY_MS): () => Promise<void> {
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
    }
  })().catch(() => undefined);
  return async () => {
    stop.abort();
    await sweeping;
  };
}
