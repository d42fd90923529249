import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { homeAt, type Home } from '../paths.js';
import { isAlive } from '../process/server-process.js';
import { OpenRecord } from '../record.js';
import { findServers } from '../servers.js';
import { noteUse, sinceUse } from './store-use.js';

/** A kept store ends when no reading command has used it for so long. */
const IDLE_MS = 60_000;
const LOOK_MS = 1000;
/** A reading command notes its use this often, well within the time above. */
const NOTE_MS = 15_000;
const READY = 'ready';

/**
 * Runs the store of a home for reading commands, until none has used it for a while, or until a command that runs
 * servers has taken it over.
 */
export async function keepStore(folder: string, idleMs = IDLE_MS): Promise<void> {
  const home = homeAt(folder);
  const say = (line: string): boolean => process.stderr.write(`${line}\n`);
  await noteUse(home);
  const servers = await findServers({ home: folder, need: ['store'], say, role: 'keep' });
  process.stdout.write(`${READY}\n`);
  let idleSince: number | null = null;
  const isIdle = async (): Promise<boolean> => {
    // after a suspend or a step of the clock a reader gets the time to say that it is there
    if ((await sinceUse(home)) <= idleMs) idleSince = null;
    else idleSince ??= performance.now();
    return idleSince !== null && performance.now() - idleSince >= Math.min(NOTE_MS + 2000, idleMs / 3);
  };
  const isOurs = async (): Promise<boolean> =>
    (await OpenRecord.read(home.record)).parts.store?.owner?.pid === process.pid;
  do {
    await sleep(LOOK_MS);
    if (!(await isOurs())) await servers.stop();
    else if (await isIdle()) await servers.stop({ onlyIf: isIdle });
  } while (servers.owned);
}

/**
 * Starts a keeper where no command of this home runs its store, and waits until that store answers. A keeper that
 * fails has said why; the reading command then tries by itself.
 */
export async function ensureKeeper(
  folder: string,
  command: readonly string[],
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  if (await runs(homeAt(folder))) return;
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

async function runs(home: Home): Promise<boolean> {
  const { store } = (await OpenRecord.read(home.record)).parts;
  const alive = async (each: { pid: number; start: string } | null | undefined): Promise<boolean> =>
    each != null && (await isAlive(each));
  return (await alive(store?.process)) && (await alive(store?.owner));
}

/** Notes the use of a kept store until it is stopped. */
export function noteUseRegularly(folder: string): { stop(): void } {
  const timer = setInterval(() => void noteUse(homeAt(folder)).catch(() => undefined), NOTE_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
