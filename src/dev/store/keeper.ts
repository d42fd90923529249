import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeAt, type Home } from '../paths.js';
import { livingUsers, OpenRecord, runs, type Entry, type ServerUser } from '../record.js';
import { findServers } from '../servers.js';

/** A kept store ends when no reading command has used it for so long. */
const IDLE_MS = 60_000;
const LOOK_MS = 1000;
/** A record that was removed is written again within this time by a command that still uses the store. */
const LOST_MS = 5000;
const READY = 'ready';

/**
 * Uses the store of a home, so that it goes on running between commands that only read it, until none has used it for
 * a while, or until a command that runs servers uses it as well.
 */
export async function keepStore(folder: string, idleMs = IDLE_MS): Promise<void> {
  const home = homeAt(folder);
  const say = (line: string): boolean => process.stderr.write(`${line}\n`);
  const servers = await findServers({ home: folder, need: ['store'], say, role: 'keep' });
  process.stdout.write(`${READY}\n`);
  let uses = -1;
  let idleSince = performance.now();
  let keptAt = performance.now();
  for (;;) {
    await sleep(LOOK_MS);
    const { entry, others, kept } = await look(home);
    const now = performance.now();
    if (kept) keptAt = now;
    if (others.length > 0 || (entry !== null && entry.uses !== uses)) idleSince = now;
    uses = entry?.uses ?? uses;
    const isNeeded = now - idleSince < idleMs && now - keptAt < LOST_MS;
    if (!isNeeded || others.some(({ role }) => role === 'run')) break;
  }
  await servers.stop();
}

/** The kept store as the record describes it. */
async function look(home: Home): Promise<{ entry: Entry | null; others: ServerUser[]; kept: boolean }> {
  const entry = (await OpenRecord.read(home.record)).parts.store;
  const users = await livingUsers(home, entry);
  const others = users.filter(({ role }) => role !== 'keep');
  return { entry, others, kept: others.length < users.length && (await runs(home, entry)) };
}

/**
 * Starts a keeper where neither one nor a command that runs servers uses the store of this home, and waits until that store answers. A keeper that
 * fails has said why; the reading command then tries by itself.
 */
export async function ensureKeeper(
  folder: string,
  command: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (await isKept(homeAt(folder))) return;
  const [file = '', ...args] = command;
  const keeper = spawn(file, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void keeper.kill('SIGTERM');
  signal.addEventListener('abort', kill, { once: true });
  keeper.stderr.on('data', (chunk: Buffer) => say(chunk.toString().trimEnd()));
  await new Promise<void>((resolve) => {
    keeper.stdout.once('data', () => resolve());
    keeper.once('error', () => resolve());
    keeper.once('exit', () => resolve());
  });
  signal.removeEventListener('abort', kill);
  keeper.stdout.destroy();
  keeper.stderr.destroy();
  keeper.unref();
  signal.throwIfAborted();
}

async function isKept(home: Home): Promise<boolean> {
  const { store } = (await OpenRecord.read(home.record)).parts;
  const users = await livingUsers(home, store);
  return (await runs(home, store)) && users.some(({ role }) => role !== 'read');
}
