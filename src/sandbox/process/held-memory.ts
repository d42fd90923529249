import { readFileSync, statfsSync, statSync } from 'node:fs';
import { hasProc } from './process-table.js';

/**
 * Memory that the system cannot take back from a process: pages of files that it only reads are not among it, however
 * many are mapped, since they are dropped when others need the room.
 */
export interface HeldMemory {
  /** Bytes of its own. */
  own: number;
  /** Bytes of files in memory that it has mapped: shared memory, memfd. */
  shared: number;
}

const NOTHING: HeldMemory = { own: 0, shared: 0 };
/** A line of any process that has an address space: one that is ending has given it up. */
const LIVES = /^Vm\w+:/m;

/**
 * Reads what a process holds, shared pages in full; null where the system does not tell. One that has ended holds
 * nothing: what it was last seen with had pages of files in it.
 */
export function heldMemory(pid: number): HeldMemory | null {
  if (!hasProc) return null;
  const status = textOf(`/proc/${pid}/status`);
  if (status === null || !LIVES.test(status)) return NOTHING;
  return memoryIn(status, /^RssAnon:\s+(\d+) kB/m, /^RssShmem:\s+(\d+) kB/m);
}

/**
 * Reads what a process holds, shared pages divided among those who share them, which takes longer; null where it cannot
 * be read.
 */
export function proportionalMemory(pid: number): HeldMemory | null {
  const rollup = textOf(`/proc/${pid}/smaps_rollup`);
  return rollup === null ? null : memoryIn(rollup, /^Pss_Anon:\s+(\d+) kB/m, /^Pss_Shmem:\s+(\d+) kB/m);
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return null;
  }
}

function memoryIn(text: string, own: RegExp, shared: RegExp): HeldMemory | null {
  const [mine, common] = [own, shared].map((field) => field.exec(text)?.[1]);
  if (mine === undefined || common === undefined) return null;
  return { own: Number(mine) * 1024, shared: Number(common) * 1024 };
}

const SHARED = '/dev/shm';

/** Bytes of the files in a sandbox's /dev/shm, mapped or not; `inside`: the living first process of the sandbox. */
export function sharedFileBytes(inside: number): number {
  const folder = `/proc/${inside}/root${SHARED}`;
  try {
    // it sees the host's until its own file systems are mounted
    if (statSync(folder).dev === statSync(SHARED).dev) return 0;
    const { blocks, bfree, bsize } = statfsSync(folder);
    return (blocks - bfree) * bsize;
  } catch {
    return 0;
  }
}

/**
 * Sums what processes hold. Files in memory are counted once, mapped or not: a file that is mapped is in both of their
 * figures, so that the larger one is taken.
 */
export function sumOfMemory(held: readonly HeldMemory[], fileBytes: number): number {
  const sum = (of: (one: HeldMemory) => number): number => held.reduce((total, one) => total + of(one), 0);
  return (
    sum(({ own }) => own) +
    Math.max(
      sum(({ shared }) => shared),
      fileBytes,
    )
  );
}
