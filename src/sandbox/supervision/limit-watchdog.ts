import { setTimeout as sleep } from 'node:timers/promises';
import { diskUse, removedButOpen } from '../host/disk-use.js';
import type { ProcessTree } from '../process/process-tree.js';
import type { Ending, RunRequest } from '../run.js';
import type { Hold } from '../tiers/launch.js';

const FIRST_MS = 40;
const PERIOD_MS = 100;
const DISK_MS = 500;
/** Looking at processes may take at most this part of the harness's time, and looking at files as much again. */
const SHARE = 1 / 20;
/** However long a look at the files takes, a run is looked at this often within its wall time. */
const DISK_LOOKS = 10;

interface Watched {
  family: ProcessTree;
  hold: Hold | null;
}

interface Watcher {
  end(ending: Ending): void;
  /** Bytes held at this look. */
  seen(bytes: number): void;
  output(): { bytes: number; lastLine: string };
}

/** Looks at a run until `over`, and ends it when it exceeds a limit on what it holds. Never rejects. */
export async function watchLimits(
  { family, hold }: Watched,
  request: RunRequest,
  over: AbortSignal,
  watcher: Watcher,
): Promise<void> {
  const { limits } = request;
  let printed = 0;
  let diskDue = performance.now() + DISK_MS;
  let pause = FIRST_MS;
  const longestDisk = (limits.wallS * 1000) / DISK_LOOKS;
  while (await pausedUnless(over, pause)) {
    const start = performance.now();
    let exceeded = hold?.refused() ?? (await looked(family, request, watcher));
    const looking = performance.now();
    pause = Math.max(PERIOD_MS, (looking - start) / SHARE);
    if (exceeded === null && looking >= diskDue) {
      exceeded = await filled(family, request);
      const now = performance.now();
      diskDue = now + Math.max(DISK_MS, Math.min((now - looking) / SHARE, longestDisk));
    }
    if (exceeded !== null) watcher.end(exceeded);
    const { bytes, lastLine } = watcher.output();
    if (bytes !== printed) request.onOutput?.(bytes, lastLine);
    printed = bytes;
  }
}

async function pausedUnless(over: AbortSignal, milliseconds: number): Promise<boolean> {
  if (over.aborted) return false;
  return sleep(milliseconds, true, { signal: over }).catch(() => false);
}

async function looked(family: ProcessTree, { limits }: RunRequest, watcher: Watcher): Promise<Ending | null> {
  await family.look();
  // counted first and for nothing: what else is asked of each process would take for ever in a fork bomb
  const count = family.size;
  if (count > limits.processes) return exceeded('processes', count, limits.processes);
  const memory = family.memory(limits.memoryBytes);
  watcher.seen(memory);
  return memory > limits.memoryBytes ? exceeded('memory', memory, limits.memoryBytes) : null;
}

/**
 * Compares what the files of a run hold with the limit, including files that were removed while they are open.
 */
async function filled(family: ProcessTree, { limits, writable }: RunRequest): Promise<Ending | null> {
  if (writable.length === 0) return null;
  const bytes = (await diskUse(writable)).bytes + (await removedButOpen(family.pids));
  return bytes > limits.diskBytes ? exceeded('disk', bytes, limits.diskBytes) : null;
}

function exceeded(limit: 'memory' | 'processes' | 'disk', used: number, allowed: number): Ending {
  return { kind: 'limit', limit, used, allowed };
}
