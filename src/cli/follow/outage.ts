import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, messageOf } from '../../domain/errors.js';
import { isStoreOutage } from '../../lineage/store-errors.js';

const AGAIN_MS = 1000;
/** A store that is away for longer is a matter for a person. */
const LONGEST_MS = 5 * 60_000;

/** The way in which a look goes on while the store is away. */
export interface Outage {
  say: (line: string) => void;
  /** Aborting ends the wait with the error of the last look. */
  signal?: AbortSignal;
}

/** Repeats a look at the store while that is away: whoever follows a campaign waits for it, as workers do. */
export async function throughOutage<T>(look: () => Promise<T>, { say, signal }: Outage): Promise<T> {
  const since = performance.now();
  let told = false;
  for (;;) {
    try {
      const found = await look();
      if (told) say('the store answers again');
      return found;
    } catch (error) {
      const over = signal?.aborted === true || performance.now() - since > LONGEST_MS;
      if (over || !isAway(error)) throw error;
      if (!told) say(`the store does not answer, waiting for it: ${messageOf(error)}`);
      told = true;
    }
    await sleep(AGAIN_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

function isAway(error: unknown): boolean {
  return isStoreOutage(error) || (error instanceof AssayError && error.code === 'STORE_UNREACHABLE');
}
