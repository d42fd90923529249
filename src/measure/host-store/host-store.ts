import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import type { ContentStore, FileOnHost } from '../../lineage/blob-store/content-store.js';
import { chunksOf, digestOf, writeDigested } from '../../lineage/blob-store/digested-bytes.js';
import type { HostPlace } from '../../lineage/documents/on-host.js';
import { freeSpaceAt } from '../../sandbox/host/free-space.js';
import { processName } from '../../sandbox/host/worker-name.js';
import { unlessMissing } from '../../sandbox/process/missing.js';
import { chooseLeaving, keptBound, storedBound, type KeptEntry } from './eviction.js';
import { folderId } from './folder-id.js';
import { Namings } from './namings.js';
import { Pins, type AskNeeded } from './pins.js';

export interface HostStoreSettings {
  /** Folder below the home of this host's workers, which all of them share. */
  folder: string;
  /** Name of this host. */
  host: string;
  /** Names the store that measurements are in. */
  store: string;
  /** Returns true while a measurement of that store needs what it has pinned; null where all that is pinned stays. */
  isNeeded: AskNeeded;
  /** Told what has left, to make room. */
  onLeft: (place: HostPlace, digests: readonly string[]) => Promise<void>;
  env: NodeJS.ProcessEnv;
}

const DIGEST = /^[0-9a-f]{64}$/;
/** Time since its last byte after which a copy of a process that is not seen to live is given up. */
const ABANDONED_MS = 60_000;

/**
 * Content that stays on the host that made it, in a folder of bounded size that its worker processes share. An entry
 * is a file named by its digest, which appears by a rename after its bytes are on the disk, so that none is ever seen
 * in part. The least recently used leave first; what a measurement has pinned stays, even over the bound.
 */
export class HostStore implements ContentStore {
  readonly #content: string;
  readonly #incoming: string;
  readonly #leaving: string;
  readonly #pins: Pins;
  readonly #namings: Namings;

  private constructor(
    readonly place: HostPlace,
    private readonly settings: HostStoreSettings,
  ) {
    const { folder, store, isNeeded } = settings;
    this.#content = join(folder, 'content');
    this.#incoming = join(folder, 'incoming');
    this.#leaving = join(folder, 'leaving');
    this.#namings = new Namings(join(folder, 'namings'), store);
    this.#pins = new Pins(join(folder, 'pins'), store, isNeeded);
  }

  /** Bytes of outputs up to which they go to the store: ASSAY_STORED_MB (MiB), or 64 MiB. */
  get storedUpTo(): number {
    return storedBound(this.settings.env);
  }

  /** Opens the folder, which gets an id when it is first used. */
  static async open(settings: HostStoreSettings): Promise<HostStore> {
    const { folder, host } = settings;
    for (const each of ['content', 'incoming', 'leaving'])
      await mkdir(join(folder, each), { recursive: true, mode: 0o700 });
    return new HostStore({ host, folder: await folderId(folder) }, settings);
  }

  async putFile({ path, sha256, bytes }: FileOnHost): Promise<void> {
    await this.#namings.add([sha256]);
    if (await this.has(sha256)) return;
    const name = await processName(process.pid);
    const copy = join(this.#incoming, `${name}~${randomUUID()}`);
    await writeDigested(chunksOf(path), copy, (written) => {
      if (written.sha256 !== sha256 || written.bytes !== bytes)
        throw new AssayError('HOST_FAULT', `${path} was changed while it was kept as ${sha256}`);
    });
    await rename(copy, join(this.#content, sha256));
  }

  async has(sha256: string): Promise<boolean> {
    const now = new Date();
    return (await unlessMissing(utimes(join(this.#content, sha256), now, now).then(() => true))) ?? false;
  }

  /** Returns true for content that is here; looking at it is no use of it. */
  async keeps(sha256: string): Promise<boolean> {
    return (await unlessMissing(stat(join(this.#content, sha256)))) !== null;
  }

  async writeTo(sha256: string, path: string): Promise<void> {
    if (!(await this.has(sha256))) throw damaged(sha256, 'is not on this host');
    const file = join(this.#content, sha256);
    try {
      await writeDigested(chunksOf(file), path, (written) => {
        if (written.sha256 !== sha256) throw damaged(sha256, 'was damaged on this host, and is removed');
      });
    } catch (error) {
      // nothing but its bytes says what it is worth
      if (error instanceof AssayError) await rm(file, { force: true });
      throw error;
    }
  }

  async examine(sha256: string): Promise<{ bytes: number; wrong: string | null }> {
    const file = join(this.#content, sha256);
    const found = await unlessMissing(stat(file));
    if (found === null) return { bytes: 0, wrong: 'it is not on this host' };
    const { bytes, sha256: is } = await digestOf(chunksOf(file));
    return { bytes, wrong: is === sha256 ? null : 'its bytes have another digest' };
  }

  /** Returns true when all of it is here; it then stays for as long as the measurement needs it. */
  async pinAll(replicate: string, digests: readonly string[]): Promise<boolean> {
    // pinned first: what is seen after that does not leave
    await this.pin(replicate, digests);
    for (const digest of digests) {
      if (await this.has(digest)) continue;
      await this.#putBack(digest);
      if (!(await this.has(digest))) return false;
    }
    return true;
  }

  /** Keeps content from leaving while the measurement needs it, also what is not here yet. */
  async pin(replicate: string, digests: readonly string[]): Promise<void> {
    await this.#pins.add(replicate, digests);
    await this.#namings.add(digests);
  }

  /** Returns the content that measurements of this store alone have kept or used here. */
  ownAlone(): Promise<Set<string>> {
    return this.#namings.ownAlone();
  }

  /**
   * Lets go of the least recently used until as much more fits. Where it cannot fit, nothing leaves, unless `must`.
   * @returns whether it fits
   */
  async makeRoom(coming: number, { must }: { must: boolean }): Promise<boolean> {
    const entries = await this.entries();
    const held = entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const { bytes: free } = await freeSpaceAt(this.settings.folder);
    const bound = keptBound(this.settings.env, { held, free });
    if (held + coming <= bound) return true;
    const { leaving, fits } = chooseLeaving(entries, await this.pinned(), { bound, coming });
    if (fits || must) await this.release(leaving);
    return fits;
  }

  /**
   * Ends what killed processes have left, and lets go of what is over the bound.
   * @returns pins that cannot be read: nothing leaves until they are removed, or a month old
   */
  async sweep(): Promise<string[]> {
    for (const name of await readdir(this.#leaving)) await this.#putBack(name);
    for (const name of await readdir(this.#incoming)) {
      const [worker = ''] = name.split('~');
      const found = await unlessMissing(stat(join(this.#incoming, name)));
      const lives = (await processName(Number.parseInt(worker, 10))) === worker;
      if (!lives && found !== null && Date.now() - found.mtimeMs > ABANDONED_MS)
        await rm(join(this.#incoming, name), { force: true });
    }
    const damaged = await this.#pins.sweep();
    // which removes pins that hold no more
    await this.pinned();
    await this.makeRoom(0, { must: true });
    return damaged;
  }

  /** Digests that measurements need. */
  pinned(): Promise<Set<string>> {
    return this.#pins.needed(async () => [
      ...(await readdir(this.#content)),
      ...(await readdir(this.#leaving)),
    ]);
  }

  /** Lists what is kept. */
  async entries(): Promise<KeptEntry[]> {
    const entries: KeptEntry[] = [];
    for (const sha256 of await readdir(this.#content)) {
      const found = DIGEST.test(sha256) ? await unlessMissing(stat(join(this.#content, sha256))) : null;
      if (found !== null) entries.push({ sha256, bytes: found.size, usedAt: found.mtimeMs });
    }
    return entries;
  }

  /**
   * Lets go of content that no measurement has pinned; returns what has left. A pin that another process sets at this
   * moment is seen before the content is gone for good.
   */
  async release(entries: readonly KeptEntry[]): Promise<KeptEntry[]> {
    if (entries.length === 0) return [];
    const moved: string[] = [];
    for (const { sha256 } of entries) {
      const done = rename(join(this.#content, sha256), join(this.#leaving, sha256)).then(() => true);
      if ((await unlessMissing(done)) === true) moved.push(sha256);
    }
    const pinned = await this.pinned();
    const left: string[] = [];
    for (const sha256 of moved)
      if (pinned.has(sha256)) await this.#putBack(sha256);
      else {
        await rm(join(this.#leaving, sha256), { force: true });
        if (!(await this.has(sha256))) left.push(sha256);
      }
    await this.#namings.remove(left);
    if (left.length > 0) await this.settings.onLeft(this.place, left);
    return entries.filter(({ sha256 }) => left.includes(sha256));
  }

  async #putBack(sha256: string): Promise<void> {
    await unlessMissing(rename(join(this.#leaving, sha256), join(this.#content, sha256)));
  }
}

const damaged = (sha256: string, how: string): AssayError =>
  new AssayError('HOST_FAULT', `content ${sha256} ${how}`);
