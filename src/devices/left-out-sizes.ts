const FIRST_MS = 60_000;
const LONGEST_MS = 600_000;

/**
 * Sizes that a host leaves to others for a while, because it could not serve what came of them: the next request may
 * be the same one, and would take its turn from a host that can serve it.
 */
export class LeftOutSizes {
  readonly #refused = new Map<number, { forMs: number; untilMs: number }>();

  /** Returns true while a size is left to other hosts. */
  has(size: number, nowMs: number): boolean {
    return nowMs < (this.#refused.get(size)?.untilMs ?? 0);
  }

  /** Leaves a size out for a minute, and for twice as long each time that it repeats, up to ten minutes. */
  refuse(size: number, nowMs: number): void {
    // several that came together are one refusal
    if (this.has(size, nowMs)) return;
    const before = this.#refused.get(size);
    const forMs = before === undefined ? FIRST_MS : Math.min(2 * before.forMs, LONGEST_MS);
    this.#refused.set(size, { forMs, untilMs: nowMs + forMs });
  }

  /** Forgets refusals of a size, of which this host has served a request. */
  forget(size: number): void {
    this.#refused.delete(size);
  }
}
