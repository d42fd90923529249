import type { LeasePool } from '../src/sandbox/host/lease.js';

/** A request on this host that may not hold its slots yet. */
export interface Arrived {
  /** Class of sizes; null: it came from the queue of all sizes. */
  readonly size: number | null;
  slots: number;
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

  constructor(private readonly leases: Pick<LeasePool, 'freeSlots' | 'fitSlots'>) {}

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
    for (const { slots, leasedAfter } of this.#arrived)
      if (leasedAfter === null || leasedAfter >= this.#done) free -= slots;
    return Math.max(0, free);
  }

  promise(size: number | null, slots: number): Arrived {
    const arrived = { size, slots, leasedAfter: null };
    this.#arrived.add(arrived);
    return arrived;
  }

  /** Notes that a request holds its slots, so that a read that begins now counts them. */
  leased(arrived: Arrived): void {
    arrived.leasedAfter = this.#begun;
  }

  ended(arrived: Arrived): void {
    this.#arrived.delete(arrived);
  }

  /** True while a request of the queue of all sizes waits here for its slots. */
  get someWait(): boolean {
    return [...this.#arrived].some(({ size, leasedAfter }) => size === null && leasedAfter === null);
  }
}
