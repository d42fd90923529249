import { LivingDrains } from '../src/devices/living-drains.js';
import type { Drains } from '../src/lineage/drains.js';

/** Notes by which hosts of a pool tell each other that they keep their slots for one size. */
export class DrainNotes {
  readonly #living = new LivingDrains();
  #isNoted = false;
  /** Sizes that other hosts drain for, one a host. */
  elsewhere: number[] = [];

  constructor(
    private readonly drains: Pick<Drains, 'renew' | 'end' | 'list'>,
    private readonly pool: string,
    /** Same for all worker processes that share the slots. */
    private readonly host: string,
  ) {}

  /**
   * Reads the notes of a pool's hosts; returns the size that another worker process of this host drains for, if any.
   * @param nowMs a clock of this process that only rises
   */
  async read(nowMs: number): Promise<number | null> {
    const living = this.#living.look(await this.drains.list(this.pool), nowMs);
    this.elsewhere = living.filter((each) => each.host !== this.host).map(({ size }) => size);
    return living.find((each) => each.host === this.host && each.moved)?.size ?? null;
  }

  /** Notes the size that this host drains for; null removes the note. */
  async write(size: number | null): Promise<void> {
    if (size !== null) await this.drains.renew(this.pool, this.host, size);
    else if (this.#isNoted) await this.drains.end(this.pool, this.host);
    this.#isNoted = size !== null;
  }
}
