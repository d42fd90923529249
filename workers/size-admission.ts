import type { SlotPermit } from '@temporalio/worker';
import { admit, type Admission, type Waiting } from '../src/devices/admission.js';
import type { Admitted } from '../src/devices/admitted.js';
import { sizesServed } from '../src/domain/devices/size-classes.js';
import { AssayError } from '../src/domain/errors.js';
import type { LeasePool } from '../src/sandbox/host/lease.js';
import type { Backlog } from './backlog.js';
import type { DrainNotes } from './drain-notes.js';
import { FreeSlots, type Arrived } from './free-slots.js';
import type { Gate } from './gate.js';
import type { Asking } from './sized-slots.js';

const LOOK_MS = 1000;
/** A queue that was asked for so long and brought nothing is empty: the server's count is said to be approximate. */
const EMPTY_MS = 10_000;
/** Last leases that are remembered. */
const REMEMBERED = 32;
const NOTHING: Backlog = { count: 0, oldestS: 0 };

/** Facts that an admission decides by. */
export interface AdmissionSource {
  pool: string;
  leases: Pick<LeasePool, 'capacity' | 'freeSlots' | 'fitSlots'>;
  notes: DrainNotes;
  gate: Gate;
  backlog: (size: number) => Promise<Backlog>;
}

/** Class of sizes, or null for requests of all sizes that an earlier assay has put into one queue. */
type Size = number | null;

/** A request that the worker says the end of. */
export interface AdmittedUntil extends Admitted {
  ended(): void;
}

/**
 * Decides again and again which queues of its pool this host asks for work, by what waits there and what is free
 * here. What comes nevertheless and does not fit is given back, so that another host can have it.
 */
export class SizeAdmission {
  readonly sizes: readonly number[];
  readonly #free: FreeSlots;
  readonly #asked = new Map<Size, { permit: SlotPermit; sinceMs: number }>();
  /** Slots that the last requests of a size took. */
  readonly #taken = new Map<number, number[]>();
  /** Seconds for which the last leases were held. */
  readonly #heldS: number[] = [];
  #backlog = new Map<number, Backlog>();
  #admission: Admission = { poll: [], draining: null };
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly source: AdmissionSource) {
    this.sizes = sizesServed(source.leases.capacity);
    this.#free = new FreeSlots(source.leases);
  }

  /** Size that this host keeps its slots for; null: none. */
  get draining(): number | null {
    return this.#admission.draining;
  }

  /** Looks once, before anything is asked for, and then every second. */
  async start(): Promise<void> {
    await this.look();
    this.#timer = setInterval(() => void this.look().catch(() => undefined), LOOK_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#looking?.catch(() => undefined);
    await this.source.notes.write(null).catch(() => undefined);
  }

  /** Asks the server and the store, and decides; a look that is under way is waited for instead. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { backlog, notes } = this.source;
    const asked = this.sizes.map(async (size) => [size, await backlog(size)] as const);
    // while the server is away everything that fits is asked for
    this.#backlog = new Map(await Promise.all(asked).catch(() => []));
    if ([...this.#backlog.values()].some(({ count }) => count > 0)) {
      const ours = await notes.read(performance.now()).catch(() => null);
      if (this.draining === null && ours !== null) this.#admission = { poll: [], draining: ours };
    }
    await this.#free.read();
    this.#decide();
    // a hint for others only; the next look tries again
    await notes.write(this.draining).catch(() => undefined);
  }

  #decide(): void {
    const { gate, notes } = this.source;
    this.#admission = admit({
      fit: this.#free.fit,
      free: this.#free.now(),
      sizes: this.sizes.map((size) => this.#waiting(size)),
      longestS: this.#heldS.length === 0 ? null : Math.max(...this.#heldS),
      draining: this.draining,
      drainingElsewhere: notes.elsewhere,
    });
    // an unhealthy host keeps nothing for anyone
    if (gate.closed !== null) this.#admission = { poll: [], draining: null };
    gate.wake();
  }

  #waiting(size: number): Waiting {
    const { count, oldestS } = this.#backlog.get(size) ?? NOTHING;
    const asked = this.#asked.get(size);
    const isEmpty = asked !== undefined && performance.now() - asked.sinceMs >= EMPTY_MS;
    return { size, needs: this.#needs(size), count: isEmpty ? 0 : count, oldestS };
  }

  /** The most slots that one of the last requests of a size took; before there was one, all that it may take. */
  #needs(size: number): number {
    const taken = this.#taken.get(size);
    return taken === undefined ? Math.min(size, this.source.leases.capacity) : Math.max(...taken);
  }

  /** Says when the queue of one size is asked. */
  asking(size: Size): Asking {
    return {
      mayAsk: () => !this.#asked.has(size) && this.#mayAsk(size),
      asks: (permit) => void this.#asked.set(size, { permit, sinceMs: performance.now() }),
      isOver: (permit) => {
        if (this.#asked.get(size)?.permit === permit) this.#asked.delete(size);
      },
    };
  }

  #mayAsk(size: Size): boolean {
    // it waits here, first come, first served
    if (this.#free.someWait) return false;
    if (size !== null) return this.#admission.poll.includes(size);
    return this.draining === null && this.#free.now() > 0;
  }

  /**
   * Takes in a request that came from a queue.
   * @throws AssayError NO_FREE_SLOTS where it does not fit any more
   */
  async arrive(size: Size): Promise<AdmittedUntil> {
    await this.#free.read();
    const slots = size === null ? 1 : this.#needs(size);
    const kept = this.draining === size ? null : this.draining;
    const fits = size === null || (slots <= this.#free.now() && kept === null);
    const arrived = fits ? this.#free.promise(size, slots) : null;
    this.#asked.delete(size);
    if (size !== null) this.#countDown(size);
    this.#decide();
    if (arrived === null) throw this.#refusal(kept);
    return this.#admitted(arrived);
  }

  #refusal(kept: number | null): AssayError {
    const { pool } = this.source;
    const why = kept === null ? 'has too few free slots now' : `keeps its slots for requests of ${kept}`;
    return new AssayError('NO_FREE_SLOTS', `this host of pool ${pool} ${why}`);
  }

  #countDown(size: number): void {
    const { count, oldestS } = this.#backlog.get(size) ?? NOTHING;
    this.#backlog.set(size, { count: Math.max(0, count - 1), oldestS });
  }

  #admitted(arrived: Arrived): AdmittedUntil {
    const { size } = arrived;
    let leasedMs: number | null = null;
    return {
      atOnce: size !== null,
      wants: (slots) => {
        arrived.slots = slots;
        // more than the host has says nothing of what it can serve
        if (size !== null && slots <= this.source.leases.capacity)
          this.#taken.set(size, [...(this.#taken.get(size) ?? []), slots].slice(-REMEMBERED));
      },
      leased: () => {
        leasedMs = performance.now();
        this.#free.leased(arrived);
        this.#decide();
      },
      ended: () => {
        if (leasedMs !== null) this.#heldS.push((performance.now() - leasedMs) / 1000);
        if (this.#heldS.length > REMEMBERED) this.#heldS.shift();
        this.#free.ended(arrived);
        void this.#free.read().then(
          () => this.#decide(),
          () => undefined,
        );
      },
    };
  }
}
