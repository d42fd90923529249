import { readFileSync, readlinkSync } from 'node:fs';
import { runsNow, startOf } from '../../sandbox/process/process-table.js';

/** A process, unmistakably: its pid may be used again, but not with the same start in the same space of pids. */
export interface ProcessIdentity {
  pid: number;
  start: string;
  /** Where its pid is valid: one boot of a machine and one pid namespace. Empty where neither can be told. */
  space: string;
}

let own: string | null = null;

/** The space of pids of this process. */
export function ownSpace(): string {
  return (own ??= spaceOf('self') ?? '');
}

function spaceOf(pid: number | 'self'): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync(`/proc/${pid}/ns/pid`)}`;
  } catch {
    return null;
  }
}

/** Identifies a process of this space; one that is gone has a start that no process has. */
export async function identityOf(pid: number): Promise<ProcessIdentity> {
  return { pid, start: (await startOf(pid)) ?? 'gone', space: ownSpace() };
}

/** Returns true for a process that cannot be looked at from here: of another container, machine or boot. */
export function isForeign({ space }: ProcessIdentity): boolean {
  return space !== '' && ownSpace() !== '' && space !== ownSpace();
}

/** Returns true while this very process is alive; false for a foreign one, which can be neither seen nor ended. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return !isForeign(process) && (await startOf(process.pid)) === process.start;
}

/** Returns true while this very process is alive, without waiting, for the moment in which this process exits. */
export function isAliveNow(process: ProcessIdentity): boolean {
  return !isForeign(process) && runsNow(process);
}

/** Returns true for a process that is in the pid namespace of this one, or whose namespace cannot be read. */
export function sharesSpace(pid: number): boolean {
  return [null, ownSpace()].includes(spaceOf(pid));
}
