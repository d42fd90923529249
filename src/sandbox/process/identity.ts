import { readFileSync, readlinkSync } from 'node:fs';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { startOf } from './process-table.js';

export const processIdentitySchema = z.object({
  pid: z.number().int(),
  /** Makes the pid unmistakable: it may be used again, but not with the same start. */
  start: z.string(),
  /** The pid namespace, and the machine's boot: a pid means nothing elsewhere. */
  space: z.string(),
  boot: z.string(),
});
/** A process of this machine, as it is named in files that outlive it. */
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/**
 * Returns true while a process lives. One in another pid namespace (a container) cannot be seen, and counts as living
 * until the machine boots again.
 */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const me = await ownIdentity();
  if (process.boot !== me.boot) return false;
  if (process.space !== me.space) return true;
  return (await startOf(process.pid)) === process.start;
}

let own: Promise<ProcessIdentity> | null = null;

/**
 * This process.
 * @throws AssayError HOST_FAULT when it cannot see itself in the process table
 */
export function ownIdentity(): Promise<ProcessIdentity> {
  return (own ??= identify());
}

async function identify(): Promise<ProcessIdentity> {
  const start = await startOf(process.pid);
  if (start === null)
    throw new AssayError('HOST_FAULT', 'this process cannot see itself in the process table');
  const read = (what: () => string): string => {
    try {
      return what().trim();
    } catch {
      return '';
    }
  };
  const boot = read(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
  return { pid: process.pid, start, boot, space: read(() => readlinkSync('/proc/self/ns/pid')) };
}
