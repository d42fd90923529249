import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../../sandbox/process/missing.js';

const NAME = /^([0-9a-f]{64})~(.+)$/;

/**
 * Empty files that say which stores have measurements that kept or used some content: several stores may share a host,
 * and the records of one say nothing about what those of another name.
 */
export class Namings {
  /** @param store names the store that the measurements of this process are in */
  constructor(
    private readonly folder: string,
    private readonly store: string,
  ) {}

  /** Notes that measurements of this store name content, also what is not here yet. */
  async add(digests: readonly string[]): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const digest of digests) await writeFile(join(this.folder, `${digest}~${this.store}`), '');
  }

  /** Forgets content that is here no more. */
  async remove(digests: readonly string[]): Promise<void> {
    if (digests.length === 0) return;
    for (const [name, digest] of await this.#read())
      if (digests.includes(digest)) await rm(join(this.folder, name), { force: true });
  }

  /** Returns content that measurements of this store name and of no other. */
  async ownAlone(): Promise<Set<string>> {
    const [own, others] = [new Set<string>(), new Set<string>()];
    for (const [, digest, store] of await this.#read()) (store === this.store ? own : others).add(digest);
    return new Set([...own].filter((digest) => !others.has(digest)));
  }

  async #read(): Promise<[name: string, digest: string, store: string][]> {
    const names = (await unlessMissing(readdir(this.folder))) ?? [];
    return names.flatMap((name) => {
      const [, digest, store] = NAME.exec(name) ?? [];
      return digest === undefined || store === undefined ? [] : [[name, digest, store]];
    });
  }
}
