import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../domain/digest.js';
import { unlessMissing } from '../../sandbox/process/missing.js';

const pinSchema = z.object({ store: z.string(), replicate: z.string(), digests: z.array(z.string()) });
type Pin = z.infer<typeof pinSchema>;

/** Age at which a pin of a store that this worker does not serve counts no more: nobody here can ask about it. */
const FOREIGN_MS = 30 * 24 * 3_600_000;
/** Age at which a pin that is being written is that of a process that was killed. */
const ABANDONED_MS = 3_600_000;

/** Asks the store whether a measurement needs what it has pinned; null where nobody is asked, and every pin holds. */
export type AskNeeded = ((replicate: string) => Promise<boolean>) | null;

/**
 * Files that say which content a measurement needs. Workers of one host share them; one is written whole or not at
 * all, and holds for as long as its measurement needs it, however its worker ends. One that a failing disk has damaged
 * may be about anything, so that all content is needed until it is as old as a foreign one.
 */
export class Pins {
  /**
   * @param store names the store that the measurements of this worker are in
   * @param isNeeded null to read pins only: all hold, and none is removed
   */
  constructor(
    private readonly folder: string,
    private readonly store: string,
    private readonly isNeeded: AskNeeded,
  ) {}

  /** Keeps content from leaving while the measurement needs it. */
  async add(replicate: string, digests: readonly string[]): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const pin: Pin = { store: this.store, replicate, digests: [...new Set(digests)].sort() };
    const text = JSON.stringify(pin);
    const draft = join(this.folder, `draft~${randomUUID()}`);
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, join(this.folder, `${sha256(text)}.json`));
  }

  /**
   * Reads the content that is pinned now, and removes pins that are needed no more.
   * @param kept lists all content, which a damaged pin may be about
   */
  async needed(kept: () => Promise<readonly string[]>): Promise<Set<string>> {
    const needed = new Set<string>();
    for (const name of await this.#names('.json')) {
      const file = join(this.folder, name);
      const text = await unlessMissing(readFile(file, 'utf8'));
      if (text === null) continue;
      const pin = pinOf(text);
      if (await this.#holds(pin, file))
        for (const digest of pin?.digests ?? (await kept())) needed.add(digest);
      else await rm(file, { force: true });
    }
    return needed;
  }

  /** Removes pins that killed processes have written in part; returns the files of those that are damaged. */
  async sweep(): Promise<string[]> {
    for (const name of await this.#names('draft~')) {
      const file = join(this.folder, name);
      if (!(await isYoung(file, ABANDONED_MS))) await rm(file, { force: true });
    }
    const damaged: string[] = [];
    for (const name of await this.#names('.json')) {
      const file = join(this.folder, name);
      const text = await unlessMissing(readFile(file, 'utf8'));
      if (text !== null && pinOf(text) === null) damaged.push(file);
    }
    return damaged;
  }

  async #names(part: '.json' | 'draft~'): Promise<string[]> {
    const names = (await unlessMissing(readdir(this.folder))) ?? [];
    return names.filter((name) => (part === '.json' ? name.endsWith(part) : name.startsWith(part)));
  }

  async #holds(pin: Pin | null, file: string): Promise<boolean> {
    if (this.isNeeded === null) return true;
    if (pin?.store === this.store) return this.isNeeded(pin.replicate);
    return isYoung(file, FOREIGN_MS);
  }
}

async function isYoung(file: string, ms: number): Promise<boolean> {
  const found = await unlessMissing(stat(file));
  return found !== null && Date.now() - found.mtimeMs < ms;
}

/** Null where the text is damaged. */
function pinOf(text: string): Pin | null {
  try {
    return pinSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
