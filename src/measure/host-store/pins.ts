import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../domain/digest.js';
import { unlessMissing } from '../../sandbox/process/missing.js';

const pinSchema = z.object({ store: z.string(), replicate: z.string(), digests: z.array(z.string()) });
type Pin = z.infer<typeof pinSchema>;

/** Age at which a pin of a store that this worker does not serve counts no more: nobody here can ask about it. */
const FOREIGN_MS = 30 * 24 * 3_600_000;

/**
 * Files that say which content a measurement needs. Workers of one host share them; one is written whole or not at
 * all, and holds for as long as its measurement needs it, however its worker ends.
 */
export class Pins {
  /** @param store names the store that the measurements of this worker are in */
  constructor(
    private readonly folder: string,
    private readonly store: string,
    private readonly isNeeded: (replicate: string) => Promise<boolean>,
  ) {}

  /** Keeps content from leaving while the measurement needs it. */
  async add(replicate: string, digests: readonly string[]): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const pin: Pin = { store: this.store, replicate, digests: [...new Set(digests)].sort() };
    const text = JSON.stringify(pin);
    const draft = join(this.folder, `draft~${randomUUID()}`);
    await writeFile(draft, text);
    await rename(draft, join(this.folder, `${sha256(text)}.json`));
  }

  /** Reads the content that is pinned now, and removes pins that are needed no more. */
  async needed(): Promise<Set<string>> {
    const needed = new Set<string>();
    for (const name of (await unlessMissing(readdir(this.folder))) ?? []) {
      const file = join(this.folder, name);
      if (!name.endsWith('.json')) continue;
      const text = await unlessMissing(readFile(file, 'utf8'));
      if (text === null) continue;
      const pin = pinSchema.parse(JSON.parse(text));
      if (await this.#holds(pin, file)) for (const digest of pin.digests) needed.add(digest);
      else await rm(file, { force: true });
    }
    return needed;
  }

  async #holds({ store, replicate }: Pin, file: string): Promise<boolean> {
    if (store === this.store) return this.isNeeded(replicate);
    const found = await unlessMissing(stat(file));
    return found !== null && Date.now() - found.mtimeMs < FOREIGN_MS;
  }
}
