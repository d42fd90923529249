import { createHash, type Hash } from 'node:crypto';
import { constants, type Dir, type Stats } from 'node:fs';
import { lstat, mkdir, open, opendir, realpath, type FileHandle } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { treeDigest } from '../../domain/digest.js';
import { entryBytes } from '../../domain/task/entry-bytes.js';
import { removeTree } from '../remove-tree.js';
import { SealRefused, unreadable } from './seal-refused.js';
import { normaliseTree } from './sealed-tree.js';

export interface SealedFile {
  /** Relative to the folder, parts separated by `/`. */
  path: string;
  bytes: number;
  sha256: string;
}

/** Contents of a folder, byte for byte. */
export interface Sealed {
  /** By path, in the order of code units. */
  files: SealedFile[];
  /** Counted size of its files and folders, empty folders included. */
  bytes: number;
  /** SHA-256 over the sorted list of paths and content digests. */
  digest: string;
}

export interface SealLimits {
  maxBytes: number;
  /** Files and folders together. */
  maxEntries: number;
}

const CHUNK = 1024 * 1024;
const MAX_DEPTH = 32;
/** Bytes of a path inside the folder: far below what a system takes, so that it can be written anywhere. */
const MAX_PATH_BYTES = 1024;
/** A file that claims this many times what it occupies is a sparse one. */
const SPARSE = 8;

/** Digests of all files of a folder that a dead run left; rejects with SealRefused. */
export async function seal(folder: string, limits: SealLimits): Promise<Sealed> {
  await requireFolder(folder);
  return new Sealer(folder, null, limits).seal();
}

/**
 * Copies the files of the folder to `destination`, in place of what lies there, and digests the very bytes that it
 * copied. The copy is read-only and its modes and times are always the same; empty folders count and are not copied.
 * A refused seal leaves no destination behind.
 */
export async function sealTo(folder: string, destination: string, limits: SealLimits): Promise<Sealed> {
  await requireFolder(folder);
  await removeTree(destination);
  await mkdir(destination);
  try {
    const sealed = await new Sealer(folder, destination, limits).seal();
    await normaliseTree(destination);
    return sealed;
  } catch (error) {
    await removeTree(destination);
    throw error;
  }
}

async function requireFolder(folder: string): Promise<void> {
  const stat = await lstat(folder).catch((error: unknown) => {
    const refused = unreadable('.', error);
    if (refused === null) throw error;
    return null;
  });
  if (stat === null) throw new SealRefused('missing', '.', 'the declared output does not exist');
  if (stat.isSymbolicLink()) throw await linkRefused(folder, '.');
  if (!stat.isDirectory()) throw new SealRefused('irregular', '.', `is ${kindOf(stat)}, not a folder`);
}

class Sealer {
  readonly #files: SealedFile[] = [];
  #bytes = 0;
  #entries = 0;

  constructor(
    readonly folder: string,
    readonly destination: string | null,
    readonly limits: SealLimits,
  ) {}

  async seal(): Promise<Sealed> {
    await this.#folder('', 0);
    const files = this.#files.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { files, bytes: this.#bytes, digest: treeDigest(files) };
  }

  async #folder(path: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) {
      const limit = { name: 'depth', used: depth, allowed: MAX_DEPTH, unit: 'folders' };
      throw new SealRefused('too_large', shortened(path), `lies more than ${MAX_DEPTH} folders deep`, limit);
    }
    for (const name of await this.#namesIn(path))
      await this.#entry(path === '' ? name : `${path}/${name}`, depth);
  }

  /** Ends as soon as there are too many: a folder may hold millions. */
  async #namesIn(path: string): Promise<string[]> {
    const names: string[] = [];
    await this.#ofRecipe(path || '.', async () => {
      // one character a byte, so that a name that is no UTF-8 can be told
      const folder: Dir = await opendir(join(this.folder, path), { encoding: 'latin1' });
      for await (const { name } of folder) {
        this.#entries += 1;
        if (this.#entries > this.limits.maxEntries) throw this.#tooMany(path);
        names.push(nameOf(path, Buffer.from(name, 'latin1')));
      }
    });
    return names;
  }

  #tooMany(path: string): SealRefused {
    const { maxEntries } = this.limits;
    const limit = { name: 'names', used: this.#entries, allowed: maxEntries, unit: 'files and folders' };
    return new SealRefused('too_large', path || '.', `more than ${maxEntries} files and folders`, limit);
  }

  async #entry(path: string, depth: number): Promise<void> {
    requireShort(path);
    const full = join(this.folder, path);
    const stat = await this.#ofRecipe(path, () => lstat(full));
    if (stat.isSymbolicLink()) throw await linkRefused(this.folder, path);
    if (stat.isDirectory()) {
      this.#admit(path, 0);
      await this.#folder(path, depth + 1);
      return;
    }
    if (!stat.isFile()) throw new SealRefused('irregular', path, `is ${kindOf(stat)}, not a plain file`);
    // O_NONBLOCK: a FIFO put in place of the file meanwhile must not hold us
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const source = await this.#ofRecipe(path, () => open(full, flags));
    try {
      const held = await source.stat();
      if (!held.isFile() || held.ino !== stat.ino || held.dev !== stat.dev) {
        throw new SealRefused('irregular', path, 'was exchanged while it was sealed');
      }
      requireOrdinary(path, held, this.limits.maxBytes - this.#bytes);
      this.#admit(path, held.size);
      await this.#take(path, source, held.size);
    } finally {
      await source.close();
    }
  }

  #admit(path: string, size: number): void {
    this.#bytes += entryBytes({ path, bytes: size });
    const { maxBytes } = this.limits;
    if (this.#bytes <= maxBytes) return;
    const limit = { name: 'disk', used: this.#bytes, allowed: maxBytes, unit: 'bytes' };
    const reason = `${this.#bytes} bytes, names included, are over the limit of ${maxBytes}`;
    throw new SealRefused('too_large', path, reason, limit);
  }

  async #take(path: string, source: FileHandle, size: number): Promise<void> {
    const target = this.destination === null ? null : await created(join(this.destination, path));
    const hash = createHash('sha256');
    try {
      const read = await copy(source, target, hash, size);
      if (read !== size) throw new SealRefused('irregular', path, 'was written to while it was sealed');
      await target?.sync();
    } finally {
      await target?.close();
    }
    this.#files.push({ path, bytes: size, sha256: hash.digest('hex') });
  }

  /** Looks at what the recipe left; an error that it can cause refuses the seal. */
  async #ofRecipe<T>(path: string, look: () => Promise<T>): Promise<T> {
    try {
      return await look();
    } catch (error) {
      throw unreadable(path, error) ?? error;
    }
  }
}

async function created(target: string): Promise<FileHandle> {
  await mkdir(dirname(target), { recursive: true });
  return open(target, 'wx', 0o444);
}

function nameOf(folder: string, raw: Buffer): string {
  const name = raw.toString('utf8');
  if (Buffer.from(name).equals(raw) && !/[\p{Cc}\p{Zl}\p{Zp}\uFFFD]/u.test(name)) return name;
  const path = JSON.stringify(shortened(folder === '' ? name : `${folder}/${name}`));
  throw new SealRefused('irregular', path, 'has control characters or no UTF-8 in its name');
}

function requireShort(path: string): void {
  const used = Buffer.byteLength(path);
  if (used <= MAX_PATH_BYTES) return;
  const limit = { name: 'names', used, allowed: MAX_PATH_BYTES, unit: 'bytes' };
  const reason = `the path has ${used} bytes, ${MAX_PATH_BYTES} are allowed`;
  throw new SealRefused('too_large', shortened(path), reason, limit);
}

const SHOWN = 80;
const shortened = (path: string): string => (path.length > SHOWN ? `${path.slice(0, SHOWN)}…` : path);

/** `left`: bytes that may still be taken. */
function requireOrdinary(path: string, stat: Stats, left: number): void {
  if (stat.nlink > 1)
    throw new SealRefused('outside', path, `has ${stat.nlink} hard links: it may be a foreign file`);
  const occupied = stat.blocks * 512;
  if (stat.size > left && occupied * SPARSE < stat.size) {
    const reason = `is sparse: it claims ${stat.size} bytes and occupies ${occupied}`;
    throw new SealRefused('irregular', path, reason);
  }
}

async function linkRefused(folder: string, path: string): Promise<SealRefused> {
  const root = await realpath(folder).catch(() => folder);
  const target = await realpath(join(folder, path)).catch(() => null);
  if (path === '.' || target === null) return new SealRefused('irregular', path, 'is a symbolic link');
  const inside = !relative(root, target).startsWith('..');
  return new SealRefused(inside ? 'irregular' : 'outside', path, 'is a symbolic link');
}

/** Copies and digests at most one byte more than announced, so that a growing file is noticed. */
async function copy(
  source: FileHandle,
  target: FileHandle | null,
  hash: Hash,
  size: number,
): Promise<number> {
  const buffer = Buffer.alloc(Math.min(CHUNK, size + 1));
  let total = 0;
  while (total <= size) {
    const room = Math.min(buffer.length, size + 1 - total);
    const { bytesRead } = await source.read(buffer, 0, room, total);
    if (bytesRead === 0) break;
    total += bytesRead;
    const part = buffer.subarray(0, bytesRead);
    hash.update(part);
    await target?.writeFile(part);
  }
  return total;
}

function kindOf(stat: Stats): string {
  if (stat.isFIFO()) return 'a FIFO';
  if (stat.isSocket()) return 'a socket';
  if (stat.isBlockDevice() || stat.isCharacterDevice()) return 'a device';
  return stat.isFile() ? 'a file' : 'no plain file';
}
