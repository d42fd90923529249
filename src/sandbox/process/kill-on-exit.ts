import { rmSync } from 'node:fs';
import { killRuns } from './kill-runs.js';
import type { LiveRun } from './live-run.js';

const runs = new Set<LiveRun>();
const folders = new Set<string>();
const lasts = new Set<() => void>();
let listens = false;

/**
 * Kills all processes of a run before this process exits, for whatever reason it exits. Returns the function to call
 * when the run is over.
 */
export function killOnExit(run: LiveRun): () => void {
  listen();
  rememberEnds();
  runs.add(run);
  return () => runs.delete(run);
}

/** Should this process exit before it removed the folder, the folder is removed. Returns what to call when it was. */
export function removeOnExit(folder: string): () => void {
  listen();
  folders.add(folder);
  return () => folders.delete(folder);
}

/** Called when this process exits, after its runs were killed; must not wait long. Returns what to call before. */
export function callOnExit(last: () => void): () => void {
  listen();
  lasts.add(last);
  return () => lasts.delete(last);
}

function listen(): void {
  if (listens) return;
  listens = true;
  process.on('exit', endAllNow);
}

const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Time at which this process was last asked to end, by `performance.now`; 0 for never. */
const ends = new Map<string, number>();

/** A process that listens to none of these dies of the first, and has nothing to remember. */
function rememberEnds(): void {
  for (const name of ENDS)
    if (!ends.has(name) && process.listenerCount(name) > 0) {
      ends.set(name, 0);
      process.on(name, () => ends.set(name, performance.now()));
    }
}

/** A program that was just started may be named by a signal that came a little earlier. */
const EARLIER_MS = 1000;

/**
 * Returns true when a program that was started at `since` and died of this signal got it together with this process:
 * until it has a process group of its own, Ctrl-C at a terminal reaches it as well.
 */
export function diedWithThisProcess(signal: string, since: number): boolean {
  const at = ends.get(signal) ?? 0;
  return at > 0 && at >= since - EARLIER_MS;
}

/** Kills every run of this process without waiting for anything, and removes its folders. */
export function endAllNow(): void {
  killRunsNow();
  for (const last of lasts) last();
  for (const folder of folders) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // what cannot be removed now is removed when the next worker starts
    }
  }
}

/** Kills every run of this process; returns how many there were. */
export function killRunsNow(): number {
  killRuns([...runs]);
  return runs.size;
}
