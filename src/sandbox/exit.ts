import { readdirSync, rmSync } from 'node:fs';
import { hasProc, killNow, markerOf } from './processes.js';

/** Leaders of process groups, and the run that their processes name in their environment. */
const runs = new Map<number, string>();
const folders = new Set<string>();
const lasts = new Set<() => void>();
let listens = false;

/**
 * Should this process exit while the run goes on, however that comes, all its processes are killed first.
 * Returns what to call when the run is over.
 */
export function diesWithMe(group: number, run: string): () => void {
  listen();
  rememberEnds();
  runs.set(group, run);
  return () => runs.delete(group);
}

/** Should this process exit before it removed the folder, the folder is removed. Returns what to call when it was. */
export function goesWithMe(folder: string): () => void {
  listen();
  folders.add(folder);
  return () => folders.delete(folder);
}

/** Called when this process exits, after its runs were killed; must not wait long. Returns what to call before. */
export function runsAtExit(last: () => void): () => void {
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
/** When this process was last asked to end, by `performance.now`; 0 for never. */
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
 * Whether a program that was started at `since` and died of this signal got it with this process: until it has a
 * process group of its own, Ctrl-C at a terminal is meant for it as well.
 */
export function diedWithMe(signal: string, since: number): boolean {
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

const ROUNDS = 50;

/** Kills every run of this process; returns how many there were. */
export function killRunsNow(): number {
  for (const group of runs.keys()) killNow(-group);
  const marks = new Set(runs.values());
  for (let round = 0; round < ROUNDS && marks.size > 0 && killMarked(marks); round += 1);
  return marks.size;
}

/** Processes that left their group still carry the mark; one that is being killed may carry it a little longer. */
function killMarked(marks: ReadonlySet<string>): boolean {
  let found = false;
  for (const name of hasProc ? readdirSync('/proc') : []) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const mark = markerOf(pid);
    if (mark === null || !marks.has(mark)) continue;
    killNow(pid);
    found = true;
  }
  return found;
}
