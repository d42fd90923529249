import type { LeasePool } from '../src/sandbox/host/lease.js';

/** Slots are kept for so long for a request that does not take them: it may be prepared on this host for an hour. */
const PROMISED_MS = 10_000;

/** A request on this host that may not hold its slots yet. */
export interface Arrived {
  /** Class of sizes; null: it waits here until it has its slots. */
  readonly size: number | null;
  slots: number;
  /** Time by the clock of the slots until which they are kept for it before it holds them. */
  promisedUntilMs: number;
  /** Number of reads that had begun when it got its slots; null before. */
  leasedAfter: number | null;
}

/** Counts slots that are neither held nor promised: a request that has just arrived holds its lease only later. */
export class FreeSlots {
  readonly #arrived = new Set<Arrived>();
  #free = 0;
  #fit = 0;
  #begun = 0;
  #done = 0;

  constructor(
    private readonly leases: Pick<LeasePool, 'freeSlots' | 'fitSlots'>,
    /** A clock of this process that only rises, in milliseconds. */
    private readonly clock: () => number,
  ) {}

  /** Reads what is held on this host, by its other processes too. */
  async read(): Promise<void> {
    this.#begun += 1;
    const read = this.#begun;
    const [free, fit] = await Promise.all([this.leases.freeSlots(), this.leases.fitSlots()]);
    // a later read may have been faster
    if (read < this.#done) return;
    this.#free = free;
    this.#fit = fit;
    this.#done = read;
  }

  /** The number that may be given out, held ones too, by the last read. */
  get fit(): number {
    return this.#fit;
  }

  /** The number that is free for another request, by the last read. */
  now(): number {
    let free = this.#free;
    for (const arrived of this.#arrived) {
      const { slots, leasedAfter } = arrived;
      if (leasedAfter === null ? this.#isPromised(arrived) : leasedAfter >= this.#done) free -= slots;
    }
    return Math.max(0, free);
  }

  #isPromised({ promisedUntilMs }: Arrived): boolean {
    return this.clock() < promisedUntilMs;
  }

  /** Takes in a request, and keeps slots for it for some seconds; 0 keeps none until it wants them. */
  promise(size: number | null, slots: number): Arrived {
    const promisedUntilMs = slots === 0 ? -Infinity : this.clock() + PROMISED_MS;
    const arrived = { size, slots, promisedUntilMs, leasedAfter: null };
    this.#arrived.add(arrived);
    return arrived;
  }

  /** Notes how many slots a request takes now; for one that waits here they are kept until it has them. */
  wants(arrived: Arrived, slots: number): void {
    arrived.slots = slots;
    arrived.promisedUntilMs = arrived.size === null ? Infinity : this.clock() + PROMISED_MS;
  }

  /** Notes that a request holds its slots, so that a read that begins now counts them. */
  leased(arrived: Arrived): void {
    arrived.leasedAfter = this.#begun;
  }

  ended(arrived: Arrived): void {
    this.#arrived.delete(arrived);
  }

  /** True while a request waits here for its slots. */
  get someWait(): boolean {
    return [...this.#arrived].some(
      (arrived) => arrived.size === null && arrived.leasedAfter === null && this.#isPromised(arrived),
    );
  }
}
