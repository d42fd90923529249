import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOING, type WorkMonitor } from '../../domain/trial/doing.js';
import { AssayError } from '../../domain/errors.js';
import { LeasePool, slotHolders } from './lease.js';
import { isAlive, ownIdentity, processIdentitySchema, type ProcessIdentity } from '../process/identity.js';
import { unlessMissing } from '../process/missing.js';

/** Aborting its signal ends the waiting; what runs already is not touched. */
export interface TurnRequest extends WorkMonitor {
  /** The work in words, reported once it may run. */
  doing: string;
}

const POLL_MS = 200;

/**
 * Shares out the right to run a recipe's code on this host: to many at a time, or to one work alone: an evaluation, or a training. The worker
 * processes of the host coordinate through a folder, in which every holder of a turn, and every one that waits to be
 * alone, has a link that names its process. An evaluation that is to run alone enters, takes the one slot of a lease
 * in case others want to be alone as well, and waits until no other process is inside. Every other process looks for
 * such an evaluation before and after it enters: of two that come at once, at least one sees the other. So processes
 * that come while an evaluation waits queue behind it, and it waits only for those that were running. Links of dead
 * processes are ignored.
 *
 * No deadlock: a process that has a turn waits for no other. A turn is taken once, by the outermost caller, after a
 * lease and never before: what waits for a lease has no turn, so that nobody who wants to be alone waits for it; and
 * what has the lease and waits for its turn waits for work that has its own lease, or needs none.
 */
export class HostTurn {
  readonly #one: LeasePool;
  readonly #alone: string;
  readonly #beside: string;
  readonly #has = new AsyncLocalStorage<'beside' | 'alone'>();

  constructor(folder: string) {
    this.#one = new LeasePool('alone', 1, join(folder, 'one'));
    this.#alone = join(folder, 'alone');
    this.#beside = join(folder, 'beside');
  }

  /** Runs `fn` beside others, once no evaluation runs or waits to run alone. */
  async beside<T>(request: TurnRequest, fn: () => Promise<T>): Promise<T> {
    this.#refuseNested();
    const entry = await this.#enterBeside(request);
    try {
      request.tell(request.doing);
      return await this.#has.run('beside', fn);
    } finally {
      await rm(entry, { force: true });
    }
  }

  /** Runs `fn` while nothing else has a turn on this host. */
  async alone<T>(request: TurnRequest, fn: () => Promise<T>): Promise<T> {
    this.#refuseNested();
    const { signal, tell } = request;
    signal.throwIfAborted();
    const onWait = (): void => tell(DOING.waitsForAlone);
    const entry = await enter(this.#alone);
    try {
      // of those who wait in its own process the lease tells only the first
      if ((await slotHolders(this.#one.folder)).length > 0) onWait();
      return await this.#one.withLease({ slots: 1, signal, onWait }, async () => {
        await this.#untilNobodyIsBeside(request);
        tell(request.doing);
        return this.#has.run('alone', fn);
      });
    } finally {
      await rm(entry, { force: true });
    }
  }

  /** Counts the other work that has a turn on this host now. */
  async others(): Promise<number> {
    const own = this.#has.getStore() === 'beside' ? 1 : 0;
    return Math.max(0, (await livingIn(this.#beside)) - own);
  }

  #refuseNested(): void {
    if (this.#has.getStore() !== undefined)
      throw new AssayError('INTERNAL', 'a turn on the host was asked for by work that has one');
  }

  async #enterBeside({ signal, tell }: TurnRequest): Promise<string> {
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted();
      // one that entered at every look would keep the evaluation from ever finding the host empty
      if (!(await isSomebodyIn(this.#alone))) {
        const entry = await enter(this.#beside);
        const isFree = await isSomebodyIn(this.#alone).then(
          (taken) => !taken,
          async (error: unknown) => {
            await rm(entry, { force: true });
            throw error;
          },
        );
        if (isFree) return entry;
        await rm(entry, { force: true });
      }
      if (!waited) tell(DOING.waitsForAlone);
      await pause(signal);
    }
  }

  async #untilNobodyIsBeside({ signal, tell }: TurnRequest): Promise<void> {
    for (let waited = false; await isSomebodyIn(this.#beside); waited = true) {
      signal.throwIfAborted();
      if (!waited) tell(DOING.waitsToBeAlone);
      await pause(signal);
    }
    signal.throwIfAborted();
  }
}

/**
 * Creates this process's link with its content in one step, so that no other process finds an entry without a name.
 */
async function enter(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const entry = join(folder, randomUUID());
  await symlink(JSON.stringify(await ownIdentity()), entry);
  return entry;
}

/** Returns true when a living process has entered. */
const isSomebodyIn = async (folder: string): Promise<boolean> => (await livingIn(folder, 1)) > 0;

/** Counts the entries of living processes, up to a number; removes those of the dead that it meets. */
async function livingIn(folder: string, most = Infinity): Promise<number> {
  let living = 0;
  for (const name of (await unlessMissing(readdir(folder))) ?? []) {
    const entry = join(folder, name);
    const holder = await holderOf(entry);
    if (holder === null) continue;
    if (await isAlive(holder)) living += 1;
    else await rm(entry, { force: true });
    if (living >= most) break;
  }
  return living;
}

/** Null for one that has just left. */
async function holderOf(entry: string): Promise<ProcessIdentity | null> {
  const text = await unlessMissing(readlink(entry));
  return text === null ? null : processIdentitySchema.parse(JSON.parse(text));
}

async function pause(signal: AbortSignal): Promise<void> {
  await sleep(POLL_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
}
