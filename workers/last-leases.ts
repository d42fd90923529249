/** Leases that are remembered, of each size. */
const REMEMBERED = 32;

/** Memory of a host's last leases. */
export class LastLeases {
  readonly #slots = new Map<number, number[]>();
  readonly #heldS: number[] = [];

  constructor(private readonly capacity: number) {}

  /** The most slots that one of the last requests of a size took; before there was one, all that it may take. */
  needs(size: number): number {
    return Math.max(...(this.#slots.get(size) ?? [Math.min(size, this.capacity)]));
  }

  /** Longest time in seconds; null before a lease has ended. */
  get longestS(): number | null {
    return this.#heldS.length === 0 ? null : Math.max(...this.#heldS);
  }

  /** Notes how many slots a request of a size takes. */
  takes(size: number, slots: number): void {
    this.#slots.set(size, [...(this.#slots.get(size) ?? []), slots].slice(-REMEMBERED));
  }

  heldFor(seconds: number): void {
    this.#heldS.push(seconds);
    if (this.#heldS.length > REMEMBERED) this.#heldS.shift();
  }
}
