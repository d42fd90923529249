import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { checkDiskSpace } from '../disk-space.js';
import type { Home } from '../paths.js';
import { abortable } from '../process/abortable.js';
import { isAlive, isForeign } from '../process/identity.js';
import { withLock } from '../process/lock.js';
import { rotateLogs } from '../process/log-rotation.js';
import { end } from '../process/server-process.js';
import { showsLife, startSignOfLife } from '../process/sign-of-life.js';
import {
  lifeOf,
  OpenRecord,
  rememberedUsers,
  type Entry,
  type ServerKind,
  type ServerRecord,
  type ServerUser,
} from '../record.js';
import { SERVER_KINDS } from '../server-kinds.js';
import { hold, isListed, othersOf, seemsToRun, type ServerUse } from './server-use.js';
import { answersInTime, untilFree } from './wait-for-server.js';

export interface Claimed {
  record: ServerRecord;
  /** Other commands that used one of the servers already. */
  beside: ServerUser[];
}

/**
 * Has every part running and lists this command among its users. A server that lives and has living users is joined,
 * however slow it is; one whose users were all killed is taken over, or started again if it does not answer; a dead
 * one is started again on the same data, and on the same port where others use it.
 * @throws AssayError TEMPORAL_UNAVAILABLE, STORE_UNAVAILABLE, DISK_FULL; the signal's reason when that was aborted
 */
export async function claim(
  use: ServerUse,
  parts: readonly ServerKind[],
  signal: AbortSignal,
): Promise<Claimed> {
  await mkdir(use.home.users, { recursive: true, mode: 0o700 });
  const waiting = (pid: number): void => use.say(`waiting for another assay command (process ${pid}) …`);
  for (;;) {
    const beside: ServerUser[] = [];
    const joined: ServerKind[] = [];
    const work = async (): Promise<ServerRecord> => {
      // under the lock: who holds it removes the files of those that are not listed and show no life
      use.life ??= await startSignOfLife(lifeOf(use.home, use.me));
      const record = await OpenRecord.read(use.home.record);
      await allDone(parts.map((part) => claimPart({ use, record, part, signal, joined, beside })));
      await forgetTheDead(use.home, record.parts);
      return record.parts;
    };
    const record = await withLock(use.home.lock, waiting, work, signal);
    // not under the lock: nobody has to wait for a server that does not answer this command
    const answers = await allDone(joined.map((part) => answersInTime(use, part, signal)));
    if (answers.every(Boolean)) return { record, beside };
  }
}

/** Removes the files of users that were killed; the lists of users have none of them any more. */
async function forgetTheDead(home: Home, parts: ServerRecord): Promise<void> {
  const listed = new Set(
    [parts.temporal, parts.store].flatMap((entry) => entry?.users ?? []).map(({ id }) => id),
  );
  for (const name of await readdir(home.users))
    if (!listed.has(name) && !(await showsLife(join(home.users, name))))
      await rm(join(home.users, name), { force: true });
}

/** Waits for all, also when one fails: what the others started is then known. */
async function allDone<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

interface PartClaim {
  use: ServerUse;
  record: OpenRecord;
  part: ServerKind;
  signal: AbortSignal;
  /** Parts that run for others, and were not asked yet. */
  joined: ServerKind[];
  beside: ServerUser[];
}

async function claimPart(claim: PartClaim): Promise<void> {
  const { use, record, part, signal, joined, beside } = claim;
  const entry = await entryOf(claim);
  const others = await othersOf(use, entry);
  beside.push(...others);
  if (entry !== null && (await mayRun(entry))) {
    const isUsed = others.length > 0 || isOwn(use.held.get(part), entry);
    if (isUsed) joined.push(part);
    if (isUsed || (await isTakenOver(claim, entry))) return register(claim, entry, others);
  }
  // whoever used it keeps its address, also when the record is lost
  const ports = entry?.ports ?? use.held.get(part)?.ports ?? {};
  if (others.length > 0 || use.held.has(part)) await untilFree(part, ports, others, signal);
  await checkDiskSpace(use.home.folder, use.say);
  await SERVER_KINDS[part].start({
    home: use.home.folder,
    ports,
    say: use.say,
    signal,
    note: (started) => register({ use, record, part }, started, others),
  });
}

/** Returns true for a server that this command uses already; one that cannot be looked at may be gone all the same. */
function isOwn(held: Entry | undefined, { process }: Entry): boolean {
  return process !== null && !isForeign(process) && held?.process?.pid === process.pid;
}

/** Returns true for a server that runs, and for one that cannot be looked at from here: whether it answers tells. */
async function mayRun({ process }: Entry): Promise<boolean> {
  return process !== null && (isForeign(process) || (await isAlive(process)));
}

/** Returns true when a server whose users were killed answers; ends one that does not. */
async function isTakenOver({ use, part, signal }: PartClaim, { address, process }: Entry): Promise<boolean> {
  const kind = SERVER_KINDS[part];
  await rotateLogs(use.home);
  const answers = await abortable(signal, kind.ask(address)).then(
    () => true,
    () => false,
  );
  signal.throwIfAborted();
  if (answers) use.say(`${kind.title} still runs after its command was killed: taken over`);
  else {
    use.say(`${kind.title} does not answer: started again`);
    if (process !== null) await end(process);
  }
  return answers;
}

/** The entry of the record; after that was lost, what this command remembers of a server that still runs. */
async function entryOf({ use, record, part }: PartClaim): Promise<Entry | null> {
  const entry = record.parts[part];
  const held = use.held.get(part);
  if (held === undefined || isListed(use, entry) || !(await seemsToRun(use, held))) return entry;
  return entry !== null && (await seemsToRun(use, entry)) ? entry : rememberedUsers(use.home, held);
}

async function register(
  { use, record, part }: Pick<PartClaim, 'use' | 'record' | 'part'>,
  described: Omit<Entry, 'users' | 'uses'>,
  others: readonly ServerUser[],
): Promise<void> {
  const uses = (record.parts[part]?.uses ?? 0) + 1;
  const entry: Entry = { ...described, users: [...others, use.me], uses };
  record.parts[part] = entry;
  hold(use, part, entry);
  await record.save();
}
