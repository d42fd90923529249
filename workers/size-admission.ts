import type { SlotPermit } from '@temporalio/worker';
import { admit, type Admission, type Waiting } from '../src/devices/admission.js';
import type { AdmittedUntil } from '../src/devices/admitted.js';
import { LeftOutSizes } from '../src/devices/left-out-sizes.js';
import { sizesServed } from '../src/domain/devices/size-classes.js';
import { AssayError } from '../src/domain/errors.js';
import type { LeasePool } from '../src/sandbox/host/lease.js';
import type { Backlog } from './backlog.js';
import type { DrainNotes } from './drain-notes.js';
import { FreeSlots, type Arrived } from './free-slots.js';
import type { Gate } from './gate.js';
import { KnownBacklog } from './known-backlog.js';
import { LastLeases } from './last-leases.js';
import type { Asking } from './sized-slots.js';

const LOOK_MS = 1000;
/** A queue that was asked for so long and brought nothing is empty: the server's count is said to be approximate. */
const EMPTY_MS = 10_000;

/** Facts that an admission decides by. */
export interface AdmissionSource {
  pool: string;
  leases: Pick<LeasePool, 'capacity' | 'freeSlots' | 'fitSlots'>;
  notes: DrainNotes;
  gate: Gate;
  backlog: (size: number) => Promise<Backlog>;
  /** A clock of this process that only rises, in milliseconds; default: that of the machine. */
  clock?: () => number;
}

/** Class of sizes, or null for requests of all sizes that an earlier assay has put into one queue. */
type Size = number | null;

/**
 * Decides again and again which queues of its pool this host asks for work, by what waits there and what is free
 * here. What comes nevertheless and does not fit is given back, so that another host can have it.
 */
export class SizeAdmission {
  readonly sizes: readonly number[];
  readonly #free: FreeSlots;
  readonly #asked = new Map<Size, { permit: SlotPermit; sinceMs: number }>();
  readonly #last: LastLeases;
  readonly #leftOut = new LeftOutSizes();
  readonly #backlog: KnownBacklog;
  readonly #clock: () => number;
  #admission: Admission = { poll: [], draining: null };
  #looking: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(private readonly source: AdmissionSource) {
    this.sizes = sizesServed(source.leases.capacity);
    this.#clock = source.clock ?? (() => performance.now());
    this.#last = new LastLeases(source.leases.capacity);
    this.#free = new FreeSlots(source.leases, this.#clock);
    this.#backlog = new KnownBacklog(source.backlog, this.#clock);
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
    const { notes } = this.source;
    await this.#backlog.read(this.sizes);
    if (!this.#backlog.isEmpty) {
      const ours = await notes.read(this.#clock()).catch(() => null);
      if (this.draining === null && ours !== null) this.#admission = { poll: [], draining: ours };
    }
    await this.#free.read();
    this.#decide();
    // a hint for others only; the next look tries again
    await notes.write(this.draining).catch(() => undefined);
  }

  #decide(): void {
    const { gate, notes } = this.source;
    const sizes = this.sizes.filter((size) => !this.#leftOut.has(size, this.#clock()));
    this.#admission = admit({
      fit: this.#free.fit,
      free: this.#free.now(),
      sizes: sizes.map((size) => this.#waiting(size)),
      longestS: this.#last.longestS,
      draining: this.draining,
      drainingElsewhere: notes.elsewhere,
    });
    // an unhealthy host keeps nothing for anyone
    if (gate.closed !== null) this.#admission = { poll: [], draining: null };
    gate.wake();
  }

  #waiting(size: number): Waiting {
    const { count, oldestS } = this.#backlog.of(size);
    const asked = this.#asked.get(size);
    const isEmpty = asked !== undefined && this.#clock() - asked.sinceMs >= EMPTY_MS;
    return { size, needs: this.#last.needs(size), count: isEmpty ? 0 : count, oldestS };
  }

  /** Says when the queue of one size is asked. */
  asking(size: Size): Asking {
    return {
      mayAsk: () => !this.#asked.has(size) && this.#mayAsk(size),
      asks: (permit) => void this.#asked.set(size, { permit, sinceMs: this.#clock() }),
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
    const slots = size === null ? 1 : this.#last.needs(size);
    const kept = this.draining === size ? null : this.draining;
    const fits = size === null || (slots <= this.#free.now() && kept === null);
    const arrived = fits ? this.#free.promise(size, slots) : null;
    this.#asked.delete(size);
    if (size !== null) this.#backlog.countDown(size);
    this.#decide();
    if (arrived === null) throw this.#refusal(kept);
    return this.#admitted(arrived);
  }

  /** Takes in a request that came from a queue of this host alone: others wait until it has what it wants. */
  arriveHere(): AdmittedUntil {
    return this.#admitted(this.#free.promise(null, 0));
  }

  #refusal(kept: number | null): AssayError {
    const { pool } = this.source;
    const why = kept === null ? 'has too few free slots now' : `keeps its slots for requests of ${kept}`;
    return new AssayError('NO_FREE_SLOTS', `this host of pool ${pool} ${why}`);
  }

  #admitted(arrived: Arrived): AdmittedUntil {
    const { size } = arrived;
    let leasedMs: number | null = null;
    let isRefused = false;
    return {
      atOnce: size !== null,
      wants: (slots) => {
        this.#free.wants(arrived, slots);
        if (size !== null) this.#learn(size, slots);
        this.#decide();
      },
      leased: () => {
        leasedMs = this.#clock();
        this.#free.leased(arrived);
        this.#decide();
      },
      released: () => {
        if (leasedMs !== null) this.#last.heldFor((this.#clock() - leasedMs) / 1000);
        this.#decideAfresh();
      },
      refused: () => {
        isRefused = true;
        if (size !== null) this.#leaveOut(size);
      },
      ended: () => {
        if (leasedMs !== null && !isRefused && size !== null) this.#leftOut.forget(size);
        this.#free.ended(arrived);
        this.#decideAfresh();
      },
    };
  }

  /** Decides by what is free now. */
  #decideAfresh(): void {
    void this.#free.read().then(
      () => this.#decide(),
      () => undefined,
    );
  }

  #learn(size: number, slots: number): void {
    // more than the host has says nothing of what it can serve
    if (slots > this.source.leases.capacity) this.#leaveOut(size);
    else this.#last.takes(size, slots);
  }

  #leaveOut(size: number): void {
    // for one slot no host drains, and requests that this host may serve wait in the same queue
    if (size > 1) this.#leftOut.refuse(size, this.#clock());
  }
}
