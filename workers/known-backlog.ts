import type { Backlog } from './backlog.js';

/** One answer that fails changes nothing: what waited a moment ago still waits. */
const KEPT_MS = 15_000;
const NOTHING: Backlog = { count: 0, oldestS: 0 };

/** Requests that wait in the queues of a pool by size, as the server has last said. */
export class KnownBacklog {
  #bySize = new Map<number, Backlog>();
  #answeredMs = -Infinity;

  constructor(
    private readonly ask: (size: number) => Promise<Backlog>,
    /** A clock of this process that only rises, in milliseconds. */
    private readonly clock: () => number,
  ) {}

  /** Asks the server. While it is away for longer nothing is known to wait, and everything that fits is asked for. */
  async read(sizes: readonly number[]): Promise<void> {
    const asked = sizes.map(async (size) => [size, await this.ask(size)] as const);
    const answers = await Promise.all(asked).catch(() => null);
    if (answers !== null) this.#answeredMs = this.clock();
    if (answers !== null || this.clock() - this.#answeredMs >= KEPT_MS) this.#bySize = new Map(answers ?? []);
  }

  of(size: number): Backlog {
    return this.#bySize.get(size) ?? NOTHING;
  }

  get isEmpty(): boolean {
    return [...this.#bySize.values()].every(({ count }) => count === 0);
  }

  /** Notes that one request of a size has come from its queue. */
  countDown(size: number): void {
    const { count, oldestS } = this.of(size);
    this.#bySize.set(size, { count: Math.max(0, count - 1), oldestS });
  }
}
