import { rm } from 'node:fs/promises';
import { withLock } from '../process/lock.js';
import { end } from '../process/server-process.js';
import { lifeOf, OpenRecord, rememberedUsers, type ServerKind, type ServerRecord } from '../record.js';
import { SERVER_KINDS } from '../server-kinds.js';
import { isListed, letGo, othersOf, type ServerUse } from './server-use.js';

/** Time for which an ending command waits for one that is starting servers. */
const LOCK_MS = 2000;

/**
 * Takes this command off the lists of users, and stops the servers that nobody else uses; one that does not end within
 * `cleanMs` is killed, which loses nothing acknowledged.
 */
export async function release(use: ServerUse, cleanMs: number): Promise<void> {
  if (use.held.size > 0) await leaveAll(use, cleanMs);
  await endLife(use);
}

async function endLife(use: ServerUse): Promise<void> {
  await use.life?.stop();
  use.life = null;
  await rm(lifeOf(use.home, use.me), { force: true });
}

async function leaveAll(use: ServerUse, cleanMs: number): Promise<void> {
  const { home } = use;
  const leaveIn = async (parts: ServerRecord): Promise<void> => {
    await Promise.all([...use.held.keys()].map((part) => leave(use, parts, part, cleanMs)));
    // under the lock: whoever ends next sees by it that this command has ended, also where the record is lost
    await endLife(use);
  };
  const work = async (): Promise<void> => {
    const record = await OpenRecord.read(home.record);
    await leaveIn(record.parts);
    await record.save();
  };
  const patience = AbortSignal.timeout(LOCK_MS);
  try {
    await withLock(home.lock, () => undefined, work, patience);
  } catch (error) {
    if (error !== patience.reason) throw error;
    // who holds the lock looks at who is alive, whatever the record says
    await leaveIn((await OpenRecord.read(home.record)).parts);
  }
}

async function leave(use: ServerUse, parts: ServerRecord, part: ServerKind, cleanMs: number): Promise<void> {
  const entry = parts[part];
  const held = use.held.get(part);
  const isOurs = isListed(use, entry) || entry?.process?.pid === held?.process?.pid;
  const isLost = entry?.process == null && held !== undefined;
  const others = await othersOf(use, isOurs ? entry : isLost ? rememberedUsers(use.home, held) : null);
  if (entry !== null && isOurs) parts[part] = { ...entry, users: others };
  if (others.length === 0) {
    // where the record tells of another server, nobody else uses this one
    const server = isOurs ? entry?.process : held?.process;
    if (server != null && !(await end(server, cleanMs)))
      use.say(`${SERVER_KINDS[part].title} did not end in time and was killed`);
    if (entry !== null && isOurs) parts[part] = { ...entry, process: null, users: [] };
  }
  letGo(use, part, others);
}
