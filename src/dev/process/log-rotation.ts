import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOG_LIMIT_BYTES, rotate } from './logs.js';
import type { Home } from '../paths.js';
import { freeSpaceAt, freeSpaceText } from '../../sandbox/host/free-space.js';
import { isNearlyFull } from '../disk-space.js';

const EVERY_MS = 10_000;

/** Looks after a home folder while servers run on it. */
export interface LogRotation {
  stop(): void;
}

/**
 * Keeps the servers' logs bounded, and says when the disk is nearly full, until it is stopped. Does not keep the
 * process alive.
 */
export function startLogRotation(
  home: Home,
  say: (line: string) => void,
  { limitBytes = LOG_LIMIT_BYTES, everyMs = EVERY_MS } = {},
): LogRotation {
  let told = false;
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await rotateLogs(home, limitBytes);
      const room = await freeSpaceAt(home.folder);
      const full = isNearlyFull(room);
      if (full && !told) say(`the disk of ${home.folder} is nearly full: ${freeSpaceText(room)}`);
      told = full;
    } catch {
      // a log that vanished meanwhile, a disk that gives nothing: the next look tells
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Cuts every log of the servers of a home that has become too large. */
export async function rotateLogs(home: Home, limitBytes = LOG_LIMIT_BYTES): Promise<void> {
  const names = await readdir(home.logs).catch(() => []);
  for (const name of names.filter((each) => each.endsWith('.log')))
    await rotate(join(home.logs, name), limitBytes);
}
