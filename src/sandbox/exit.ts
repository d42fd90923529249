import { readdirSync, rmSync } from 'node:fs';
import { hasProc, killNow, markerOf } from './processes.js';

/** Leaders of process groups, and the run that their processes name in their environment. */
const runs = new Map<number, string>();
const folders = new Set<string>();
let listens = false;

/**
 * Should this process exit while the run goes on, however that comes, all its processes are killed first.
 * Returns what to call when the run is over.
 */
export function diesWithMe(group: number, run: string): () => void {
  listen();
  runs.set(group, run);
  return () => runs.delete(group);
}

/** Should this process exit before it removed the folder, the folder is removed. Returns what to call when it was. */
export function goesWithMe(folder: string): () => void {
  listen();
  folders.add(folder);
  return () => folders.delete(folder);
}

function listen(): void {
  if (!listens) process.on('exit', endAllNow);
  listens = true;
}

/** Kills every run of this process without waiting for anything, and removes its folders. */
export function endAllNow(): void {
  killRunsNow();
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
