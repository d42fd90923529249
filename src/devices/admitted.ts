/** A request that this host has taken from a queue. */
export interface Admitted {
  /** True where it is given back instead of waiting for slots that others have taken meanwhile. */
  readonly atOnce: boolean;
  /** Told of the exact number of slots, before they are taken. */
  wants(slots: number): void;
  /** Told that the slots are held. */
  leased(): void;
  /** Told that they are free again, though what was measured is still to be stored. */
  released(): void;
}

/** A request that the worker says the end of. */
export interface AdmittedUntil extends Admitted {
  /** Told that this host is not one that may serve it. */
  refused(): void;
  ended(): void;
}

/** A request that waits for its slots on the host that it came to. */
export const UNSIZED: Admitted = {
  atOnce: false,
  wants: () => undefined,
  leased: () => undefined,
  released: () => undefined,
};
