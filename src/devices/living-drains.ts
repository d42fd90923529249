/** A host's note that it keeps its slots for one size; see the store's documents. */
interface DrainNote {
  host: string;
  size: number;
  renewals: number;
}

interface Seen {
  renewals: number;
  /** By the clock of whoever looks, in milliseconds. */
  changedMs: number;
  moved: boolean;
}

/** A note that does not move for so long is that of a dead host. */
const DEAD_MS = 10_000;

/** Tells notes of living hosts from those of dead ones by their counters: no clocks of hosts are compared. */
export class LivingDrains {
  #seen = new Map<string, Seen>();

  /**
   * Returns the notes of hosts that live; `moved` is true once a note was seen to move.
   * @param nowMs a clock of this process that only rises
   */
  look(notes: readonly DrainNote[], nowMs: number): { host: string; size: number; moved: boolean }[] {
    const before = this.#seen;
    this.#seen = new Map(
      notes.map(({ host, renewals }) => {
        const last = before.get(host);
        if (last === undefined) return [host, { renewals, changedMs: nowMs, moved: false }];
        return [host, last.renewals === renewals ? last : { renewals, changedMs: nowMs, moved: true }];
      }),
    );
    return notes.flatMap(({ host, size }) => {
      const seen = this.#seen.get(host);
      if (seen === undefined || nowMs - seen.changedMs >= DEAD_MS) return [];
      return [{ host, size, moved: seen.moved }];
    });
  }
}
