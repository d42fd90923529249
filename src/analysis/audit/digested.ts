import type { ContentStore } from '../../lineage/blob-store/content-store.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { KeptHere } from './facts.js';

/** Digests that an audit has computed again: bytes are stored once, whichever campaigns name them. */
export class Digested {
  readonly #known = new Map<string, { bytes: number; wrong: string | null }>();
  bytes = 0;

  constructor(
    private readonly lineage: Pick<Lineage, 'blobs'>,
    readonly kept: KeptHere | null,
    private readonly onBytes: (bytes: number) => void = () => undefined,
  ) {}

  async of(digest: string): Promise<{ bytes: number; wrong: string | null; first: boolean }> {
    return this.#once(digest, this.lineage.blobs);
  }

  /** Null for what this host keeps no more. */
  async ofKept(digest: string): Promise<{ bytes: number; wrong: string | null; first: boolean } | null> {
    if (this.kept === null || !(await this.kept.keeps(digest))) return null;
    return this.#once(digest, this.kept);
  }

  async #once(digest: string, store: Pick<ContentStore, 'examine'>) {
    const key = store === this.kept ? `kept ${digest}` : digest;
    const known = this.#known.get(key);
    if (known !== undefined) return { ...known, first: false };
    const found = await store.examine(digest);
    this.#known.set(key, found);
    this.bytes += found.bytes;
    this.onBytes(this.bytes);
    return { ...found, first: true };
  }
}
