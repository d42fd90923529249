import { lstatSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { execa } from 'execa';
import { namesIn } from '../host/disk-use.js';
import { programOnPath } from './launch.js';

/** Folders in which everybody may leave something. */
const COMMON = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue'];

/** System V objects that outlive their processes, and the options of `ipcrm` for them. */
const KEPT = [
  ['shm', '-m'],
  ['sem', '-s'],
  ['msg', '-q'],
] as const;
/** Names after which others get their turn. */
const SLICE = 1000;
/** Words of one command line: a system may keep tens of thousands of objects. */
const WORDS = 2000;

/**
 * Removes what users of runs, whose processes are dead, left outside their folders: files where everybody may write
 * and System V objects. `given`: folders that were handed to a user and are not its litter.
 */
export async function removeIpcObjects(
  matches: (uid: number) => boolean,
  given: readonly string[] = [],
): Promise<void> {
  for (const folder of COMMON) await removeFiles(folder, matches, given);
  await removeObjects(matches);
}

async function removeFiles(
  folder: string,
  matches: (uid: number) => boolean,
  given: readonly string[],
): Promise<void> {
  for (const [at, name] of namesIn(folder).entries()) {
    if (at % SLICE === SLICE - 1) await setImmediate();
    const path = join(folder, name);
    try {
      if (matches(lstatSync(path).uid) && !given.includes(path))
        await rm(path, { recursive: true, force: true });
    } catch {
      // gone already
    }
  }
}

const QUIETLY = { cwd: '/', extendEnv: false, stdio: 'ignore', reject: false, timeout: 10_000 } as const;

/** Removes objects as their own user: root may not where it has no CAP_SYS_ADMIN, as in most containers. */
async function removeObjects(matches: (uid: number) => boolean): Promise<void> {
  const found = new Map<number, string[]>();
  for (const [kind, option] of KEPT)
    for (const { id, creator } of objectsOf(kind))
      if (matches(creator)) {
        const options = found.get(creator) ?? [];
        options.push(option, id);
        found.set(creator, options);
      }
  const [setpriv, ipcrm] = [programOnPath('setpriv'), programOnPath('ipcrm')];
  if (setpriv === null || ipcrm === null) return;
  for (const [uid, options] of found) {
    const user = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups', '--no-new-privs'];
    for (let at = 0; at < options.length; at += WORDS)
      // one that goes meanwhile is an error of ipcrm's, which continues with the others
      await execa(setpriv, [...user, '--', ipcrm, ...options.slice(at, at + WORDS)], QUIETLY);
  }
}

/**
 * Lists objects of one kind, each with its creator: an owner can be changed by the owner, the creator cannot.
 */
function objectsOf(kind: string): { id: string; creator: number }[] {
  const [head, ...rows] = textOf(`/proc/sysvipc/${kind}`).trim().split('\n').map(fields);
  const at = head?.indexOf('cuid') ?? -1;
  return rows.flatMap((row) => {
    const [id, creator] = [row[1], row[at]];
    return id === undefined || creator === undefined ? [] : [{ id, creator: Number(creator) }];
  });
}

const fields = (row: string): string[] => row.trim().split(/\s+/);

/** Empty where the system keeps no such objects. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
