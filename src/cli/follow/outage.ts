import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../domain/errors.js';

const AGAIN_MS = 1000;
/** A server that is away for longer is a matter for a person. */
const LONGEST_MS = 5 * 60_000;

/** The way in which a look goes on while a server is away. */
export interface Outage {
  say: (line: string) => void;
  /** Aborting ends the wait with the error of the last look. */
  signal?: AbortSignal;
}

/** Repeats a look at store or Temporal while that is away: whoever follows a campaign waits for it, as workers do. */
export async function throughOutage<T>(look: () => Promise<T>, { say, signal }: Outage): Promise<T> {
  const since = performance.now();
  let told = false;
  for (;;) {
    try {
      const found = await look();
      if (told) say('it answers again');
      return found;
    } catch (error) {
      const over = signal?.aborted === true || performance.now() - since > LONGEST_MS;
      const outage = over ? null : await outageOf(error);
      if (outage === null) throw error;
      if (!told) say(`waiting for a server that is away: ${messageOf(outage)}`);
      told = true;
    }
    await sleep(AGAIN_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

/** Loads the clients of the servers, which are heavy, only to tell their errors apart. */
async function outageOf(error: unknown): Promise<Error | null> {
  return (await import('../client-error.js')).outageIn(error);
}
