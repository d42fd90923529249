import { setTimeout as sleep } from 'node:timers/promises';
import { diskUse, removedButOpen } from './disk.js';
import type { Family } from './family.js';
import type { Ending, RunRequest } from './run.js';

const FIRST_MS = 40;
const PERIOD_MS = 100;
const DISK_MS = 500;
/** Looking may take at most this part of the harness's time. */
const SHARE = 1 / 20;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Watcher {
  end(ending: Ending): void;
  /** Resident bytes at this look. */
  seen(bytes: number): void;
  output(): { bytes: number; lastLine: string };
}

/** Looks at a run until `over`, and ends it when it exceeds a limit. Never rejects. */
export async function watch(
  family: Family,
  request: RunRequest,
  over: AbortSignal,
  watcher: Watcher,
): Promise<void> {
  const { limits } = request;
  const began = performance.now();
  const wall = setTimeout(
    () => {
      const used = (performance.now() - began) / 1000;
      // a timer may fire a fraction of a millisecond early
      watcher.end({
        kind: 'limit',
        limit: 'wall',
        used: Math.max(used, limits.wallS),
        allowed: limits.wallS,
      });
    },
    Math.min(limits.wallS * 1000, LONGEST_TIMER_MS),
  );
  let printed = 0;
  let diskDue = began + DISK_MS;
  let pause = FIRST_MS;
  while (await pausedUnless(over, pause)) {
    const start = performance.now();
    const exceeded = await looked(family, request, watcher, start >= diskDue);
    const cost = performance.now() - start;
    if (exceeded !== null) watcher.end(exceeded);
    if (start >= diskDue) diskDue = performance.now() + Math.max(DISK_MS, cost / SHARE);
    const { bytes, lastLine } = watcher.output();
    if (bytes !== printed) request.onOutput?.(bytes, lastLine);
    printed = bytes;
    pause = Math.max(PERIOD_MS, cost / SHARE);
  }
  clearTimeout(wall);
}

async function pausedUnless(over: AbortSignal, milliseconds: number): Promise<boolean> {
  if (over.aborted) return false;
  return sleep(milliseconds, true, { signal: over }).catch(() => false);
}

async function looked(
  family: Family,
  request: RunRequest,
  watcher: Watcher,
  disk: boolean,
): Promise<Ending | null> {
  const { limits, writable } = request;
  const living = await family.look();
  // counted first and for nothing: what else is asked of each process would take for ever in a fork bomb
  const count = family.size;
  if (count > limits.processes) return exceeded('processes', count, limits.processes);
  const memory = family.memory(limits.memoryBytes);
  watcher.seen(memory);
  if (memory > limits.memoryBytes) return exceeded('memory', memory, limits.memoryBytes);
  if (!disk || writable.length === 0) return null;
  const bytes = diskUse(writable).bytes + removedButOpen(living.map((row) => row.pid));
  return bytes > limits.diskBytes ? exceeded('disk', bytes, limits.diskBytes) : null;
}

function exceeded(limit: 'memory' | 'processes' | 'disk', used: number, allowed: number): Ending {
  return { kind: 'limit', limit, used, allowed };
}
