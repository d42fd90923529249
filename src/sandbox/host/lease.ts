import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { link, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../../domain/errors.js';
import { unlessMissing } from '../process/missing.js';
import { isAlive, ownIdentity, processIdentitySchema, type ProcessIdentity } from '../process/identity.js';

/** Exclusive right to some slots of a pool of this host, while a function runs. */
export interface Lease {
  pool: string;
  /** Numbers of the slots held, from 0, ascending: for CUDA_VISIBLE_DEVICES or pinning. */
  slots: number[];
}

export interface LeaseRequest {
  slots: number;
  signal: AbortSignal;
  /** Called once when the slots are not free at once, with their holders. */
  onWait?: (reason: string) => void;
  /** Refuse with NO_FREE_SLOTS instead of waiting. */
  atOnce?: boolean;
}

const POLL_MS = 200;
/** Old generations that are kept, so that a slow reader of the folder cannot miss the newest. */
const KEPT = 8;

/** Rules for the slots of a pool. */
export interface SlotRules {
  /** Names of the slots' files, NAME.NUMBER: pools that share one share that slot. Default: POOL.SLOT. */
  names?: readonly string[];
  unfit?: (slot: number) => Promise<string | null>;
}

/**
 * Slots of one host, shared by its worker processes through a folder. A slot is a row of generations, files
 * `NAME.SLOT.GENERATION`; the newest one says who holds it, or is empty when it is free. Who takes the slot creates the next
 * generation, which the file system lets only one do. The newest file is never removed, so a taker that was slow
 * finds a newer one and gives way. No clock is compared and a living holder is never overtaken; the slots of a dead
 * one are free at once. A holder in another pid namespace (a container) cannot be seen and counts as living until
 * the machine boots again.
 */
export class LeasePool {
  readonly #names: readonly string[];
  /** Says why a slot is not to be given out now; null where it may be. */
  readonly unfit: (slot: number) => Promise<string | null>;
  #queue: Promise<unknown> = Promise.resolve();
  /** Tries of this process, one after another: two at once could each take some and both give way. */
  #tries: Promise<unknown> = Promise.resolve();

  constructor(
    readonly name: string,
    /** Slots of this host; all its workers must agree. */
    readonly capacity: number,
    readonly folder: string,
    { names, unfit }: SlotRules = {},
  ) {
    this.#names = names ?? Array.from({ length: capacity }, (_, slot) => `${name}.${slot}`);
    this.unfit = unfit ?? (() => Promise.resolve(null));
    if (!/^[a-z][a-z0-9-]{0,47}$/.test(name))
      throw new AssayError('INTERNAL', `"${name}" is no name of a pool`);
  }

  /**
   * Waits for the slots (first come, first served within this process), runs `fn` and releases them whatever comes of
   * it. Rejects with the signal's reason when it is aborted while waiting.
   */
  async withLease<T>(request: LeaseRequest, fn: (lease: Lease) => Promise<T>): Promise<T> {
    if (request.atOnce === true && request.slots > this.capacity) throw this.#tooFew(request.slots);
    this.requireRoom(request.slots);
    const turn =
      request.atOnce === true ? this.#acquire(request) : this.#queue.then(() => this.#acquire(request));
    if (request.atOnce !== true) this.#queue = turn.catch(() => undefined);
    const taken = await unlessAborted(turn, request.signal);
    try {
      return await fn({ pool: this.name, slots: taken.map((slot) => slot.slot) });
    } finally {
      await Promise.all(taken.map((slot) => slot.release()));
    }
  }

  /** @throws AssayError HOST_FAULT for more slots than there are */
  requireRoom(slots: number): void {
    if (slots >= 1 && slots <= this.capacity) return;
    const message = `a lease of ${slots} slots cannot be had from pool ${this.name} of ${this.capacity}`;
    throw new AssayError('HOST_FAULT', message, {
      remedy: 'Start a worker on a host that has that many slots.',
    });
  }

  /** The refusal of a request that another host may have room for. */
  #tooFew(slots: number): AssayError {
    const message = `this host of pool ${this.name} has ${this.capacity} slots, and ${slots} are asked for`;
    return new AssayError('NO_FREE_SLOTS', message);
  }

  async #acquire(request: LeaseRequest): Promise<Slot[]> {
    await mkdir(this.folder, { recursive: true });
    for (let first = true; ; first = false) {
      request.signal.throwIfAborted();
      const { taken, holders } = await this.#inTurn(() => this.#takeAll(request.slots));
      if (taken.length === request.slots) return taken;
      if (request.atOnce === true) throw noFreeSlots(this.name, request.slots);
      if (first)
        request.onWait?.(
          `pool ${this.name}: waiting for ${request.slots} slots; held by ${holders.join(', ')}`,
        );
      const pause = POLL_MS * (0.5 + Math.random());
      await sleep(pause, undefined, { signal: request.signal }).catch(() => undefined);
    }
  }

  /** Counts the slots that no living process holds and that are fit. */
  async freeSlots(): Promise<number> {
    const taken = await takenSlots(this.folder);
    const held = new Set(taken.flatMap(({ slot, living }) => (living ? this.#names.indexOf(slot) : [])));
    const slots = Array.from({ length: this.capacity }, (_, slot) => slot).filter((slot) => !held.has(slot));
    return this.#countFit(slots);
  }

  /** Counts the slots that are fit, held or not. */
  fitSlots(): Promise<number> {
    return this.#countFit(Array.from({ length: this.capacity }, (_, slot) => slot));
  }

  async #countFit(slots: readonly number[]): Promise<number> {
    const unfit = await Promise.all(slots.map((slot) => this.unfit(slot)));
    return unfit.filter((why) => why === null).length;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tries.then(work);
    this.#tries = turn.catch(() => undefined);
    return turn;
  }

  /** Takes all that is wanted, or nothing: holding some while waiting for the rest could lock two workers for ever. */
  async #takeAll(wanted: number): Promise<{ taken: Slot[]; holders: string[] }> {
    const { taken, holders } = await this.#take(wanted);
    if (taken.length === wanted) return { taken, holders };
    await Promise.all(taken.map((slot) => slot.release()));
    return { taken: [], holders };
  }

  async #take(wanted: number): Promise<{ taken: Slot[]; holders: string[] }> {
    const taken: Slot[] = [];
    const holders: string[] = [];
    try {
      for (let slot = 0; slot < this.capacity && taken.length < wanted; slot += 1) {
        const unfit = await this.unfit(slot);
        if (unfit !== null) {
          holders.push(`nobody: slot ${slot} gets no work (${unfit})`);
          continue;
        }
        const got = await takeSlot(this.folder, this.#names[slot] ?? '', slot);
        if (got instanceof Slot) taken.push(got);
        else holders.push(got);
      }
    } catch (error) {
      await Promise.all(taken.map((slot) => slot.release()));
      throw error;
    }
    return { taken, holders };
  }
}

/** The refusal of a request that would have to wait; another host may have the slots. */
export function noFreeSlots(pool: string, slots: number): AssayError {
  const wanted = slots === 1 ? 'a slot' : `${slots} slots`;
  return new AssayError('NO_FREE_SLOTS', `this host of pool ${pool} does not have ${wanted} free now`);
}

/** The slots when it is their turn; who is no longer interested is told at once, and leaves what comes to others. */
async function unlessAborted(turn: Promise<Slot[]>, signal: AbortSignal): Promise<Slot[]> {
  const aborted = new AbortController();
  const left = once(signal, 'abort', { signal: aborted.signal }).then(() => 'left' as const);
  left.catch(() => undefined);
  try {
    const first = signal.aborted ? 'left' : await Promise.race([turn, left]);
    if (first !== 'left') return first;
    turn.then((taken) => Promise.all(taken.map((slot) => slot.release()))).catch(() => undefined);
    throw signal.reason;
  } finally {
    aborted.abort();
  }
}

/** A slot that this process holds. */
class Slot {
  constructor(
    readonly slot: number,
    readonly file: string,
  ) {}

  /** An empty file is a free slot: emptying needs no room on a full disk, and only the holder does it. */
  release(): Promise<void> {
    return truncate(this.file, 0);
  }
}

/** The slot, or in words who holds it. */
async function takeSlot(folder: string, name: string, slot: number): Promise<Slot | string> {
  const newest = (await generations(folder, name)).at(-1) ?? 0;
  if (newest > 0) {
    const holder = await readHolder(join(folder, `${name}.${newest}`));
    if (holder === 'gone') return 'a worker that was faster';
    if (holder !== 'free' && (await isAlive(holder))) return `process ${holder.pid}`;
  }
  const draft = join(folder, `${name}~${randomUUID()}`);
  const file = join(folder, `${name}.${newest + 1}`);
  try {
    await writeFile(draft, JSON.stringify(await ownIdentity()));
    await link(draft, file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
      return 'a worker that was faster';
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const all = await generations(folder, name);
  if (all.at(-1) !== newest + 1) {
    await rm(file, { force: true });
    return 'a worker that was faster';
  }
  const old = all.filter((generation) => generation <= newest + 1 - KEPT);
  await Promise.all(old.map((generation) => rm(join(folder, `${name}.${generation}`), { force: true })));
  return new Slot(slot, file);
}

/** A slot whose holder died without giving it back. */
export interface ExpiredLease {
  /** `POOL.SLOT`. */
  slot: string;
  pid: number;
}

/** Slots below a lease folder whose holders are dead: the next taker has them, so that there is nothing to do. */
export async function expiredLeases(folder: string): Promise<ExpiredLease[]> {
  const taken = await takenSlots(folder);
  return taken.filter(({ living }) => !living).map(({ slot, pid }) => ({ slot, pid }));
}

/** Processes that live and hold slots below a lease folder. */
export async function slotHolders(folder: string): Promise<number[]> {
  return (await takenSlots(folder)).filter(({ living }) => living).map(({ pid }) => pid);
}

async function takenSlots(folder: string): Promise<(ExpiredLease & { living: boolean })[]> {
  const newest = new Map<string, number>();
  for (const file of (await unlessMissing(readdir(folder))) ?? []) {
    const [, slot, generation] = /^(.+\.\d+)\.(\d+)$/.exec(file) ?? [];
    if (slot !== undefined) newest.set(slot, Math.max(newest.get(slot) ?? 0, Number(generation)));
  }
  const taken: (ExpiredLease & { living: boolean })[] = [];
  for (const [slot, generation] of newest) {
    const holder = await readHolder(join(folder, `${slot}.${generation}`));
    if (typeof holder !== 'string') taken.push({ slot, pid: holder.pid, living: await isAlive(holder) });
  }
  return taken;
}

/** Generations of a slot that exist, ascending. */
async function generations(folder: string, name: string): Promise<number[]> {
  const numbers: number[] = [];
  for (const file of await readdir(folder)) {
    const rest = file.startsWith(`${name}.`) ? file.slice(name.length + 1) : '';
    if (/^\d+$/.test(rest)) numbers.push(Number(rest));
  }
  return numbers.sort((a, b) => a - b);
}

async function readHolder(file: string): Promise<ProcessIdentity | 'free' | 'gone'> {
  const text = await unlessMissing(readFile(file, 'utf8'));
  if (text === null) return 'gone';
  return text === '' ? 'free' : processIdentitySchema.parse(JSON.parse(text));
}
