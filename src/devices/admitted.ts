/** A request that this host has taken from the queue of its size. */
export interface Admitted {
  /** True where it is given back instead of waiting for slots that others have taken meanwhile. */
  readonly atOnce: boolean;
  /** Told of the exact number of slots, before they are taken. */
  wants(slots: number): void;
  /** Told that the slots are held. */
  leased(): void;
}

/** A request that waits for its slots on the host that it came to. */
export const UNSIZED: Admitted = { atOnce: false, wants: () => undefined, leased: () => undefined };
