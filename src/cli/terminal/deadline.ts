import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../domain/errors.js';
import { say } from './terminal.js';

/**
 * Waits for a step of a shutdown, but not longer than its deadline: when it is late or fails, that is printed and the
 * shutdown continues. Returns true when the step was done.
 */
export async function within(milliseconds: number, what: string, step: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(milliseconds, false, { signal: over.signal }).catch(() => true);
  try {
    const done = await Promise.race([step.then(() => true), late]);
    if (!done) say(`${what} did not end within ${milliseconds / 1000} s; going on without`);
    return done;
  } catch (error) {
    say(`${what}: ${messageOf(error).split('\n')[0] ?? ''}`);
    return false;
  } finally {
    over.abort();
  }
}
