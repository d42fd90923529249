import { createHash, type Hash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { chmod, lstat, mkdir, open, readdir, realpath, rm, type FileHandle } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { treeDigest } from '../domain/digest.js';

export interface SealedFile {
  /** Relative to the folder, parts separated by `/`. */
  path: string;
  bytes: number;
  sha256: string;
}

/** What a folder held, byte for byte. */
export interface Sealed {
  /** By path, in the order of code units. */
  files: SealedFile[];
  bytes: number;
  /** SHA-256 over the sorted list of paths and content digests. */
  digest: string;
}

export interface SealLimits {
  maxBytes: number;
  /** Files and folders together. */
  maxFiles: number;
}

/** missing: no such folder; irregular: not a plain file; outside: leads elsewhere; too_large: over a limit. */
export type SealRefusal = 'missing' | 'irregular' | 'too_large' | 'outside';

/** An output that cannot be sealed; the recipe's fault. */
export class SealRefused extends Error {
  override readonly name = 'SealRefused';

  constructor(
    readonly kind: SealRefusal,
    /** Relative to the folder; `.` is the folder itself. */
    readonly path: string,
    readonly reason: string,
    /** For `too_large`: bytes (or files) over the limit, where known. */
    readonly over: number | null = null,
  ) {
    super(`${path}: ${reason}`);
  }
}

const CHUNK = 1024 * 1024;
const DEEPEST = 32;
/** Bytes of the longest path that the system takes, with room for where the copy lies. */
const LONGEST_PATH = 3000;
/** A file that claims this many times what it occupies is a sparse one. */
const SPARSE = 8;

/** Digests of all files of a folder that a dead run left; rejects with SealRefused. */
export function seal(folder: string, limits: SealLimits): Promise<Sealed> {
  return new Sealer(folder, null, limits).seal();
}

/**
 * Copies the folder to `destination` (which must not exist yet), read-only, and digests the very bytes that it
 * copied. A refused seal leaves no destination behind.
 */
export async function sealTo(folder: string, destination: string, limits: SealLimits): Promise<Sealed> {
  await mkdir(destination);
  try {
    const sealed = await new Sealer(folder, destination, limits).seal();
    await chmod(destination, 0o555);
    return sealed;
  } catch (error) {
    await rm(destination, { recursive: true, force: true });
    throw error;
  }
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
    const stat = await lstat(this.folder).catch(() => null);
    if (stat === null) throw new SealRefused('missing', '.', 'the declared output does not exist');
    if (stat.isSymbolicLink()) throw await this.#link('.', this.folder);
    if (!stat.isDirectory()) throw new SealRefused('irregular', '.', `is ${kindOf(stat)}, not a folder`);
    await this.#folder('', 0);
    const files = this.#files.sort((a, b) => (a.path < b.path ? -1 : 1));
    return { files, bytes: this.#bytes, digest: treeDigest(files) };
  }

  async #folder(path: string, depth: number): Promise<void> {
    if (depth > DEEPEST) throw new SealRefused('irregular', path, `lies more than ${DEEPEST} folders deep`);
    for (const raw of await readdir(join(this.folder, path), { encoding: 'buffer' })) {
      const name = raw.toString('utf8');
      const child = path === '' ? name : `${path}/${name}`;
      if (Buffer.byteLength(child) > LONGEST_PATH)
        throw new SealRefused(
          'irregular',
          child.slice(0, 100),
          `its path is longer than ${LONGEST_PATH} bytes`,
        );
      if (!Buffer.from(name).equals(raw) || /[\p{Cc}\p{Zl}\p{Zp}\uFFFD]/u.test(name)) {
        throw new SealRefused(
          'irregular',
          JSON.stringify(child),
          'has control characters or no UTF-8 in its name',
        );
      }
      this.#entries += 1;
      if (this.#entries > this.limits.maxFiles) {
        throw new SealRefused('too_large', child, `more than ${this.limits.maxFiles} files and folders`, 1);
      }
      await this.#entry(child, depth);
    }
  }

  async #entry(path: string, depth: number): Promise<void> {
    const full = join(this.folder, path);
    const stat = await lstat(full);
    if (stat.isSymbolicLink()) throw await this.#link(path, full);
    if (stat.isDirectory()) {
      const copy = this.destination === null ? null : join(this.destination, path);
      if (copy !== null) await mkdir(copy);
      await this.#folder(path, depth + 1);
      if (copy !== null) await chmod(copy, 0o555);
      return;
    }
    if (!stat.isFile()) throw new SealRefused('irregular', path, `is ${kindOf(stat)}, not a plain file`);
    // O_NONBLOCK: a FIFO put in place of the file meanwhile must not hold us
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const source = await open(full, flags);
    try {
      const held = await source.stat();
      if (!held.isFile() || held.ino !== stat.ino || held.dev !== stat.dev) {
        throw new SealRefused('irregular', path, 'was exchanged while it was sealed');
      }
      this.#admit(path, held);
      await this.#take(path, source, held.size);
    } finally {
      await source.close();
    }
  }

  #admit(path: string, stat: Stats): void {
    if (stat.nlink > 1)
      throw new SealRefused('outside', path, `has ${stat.nlink} hard links: it may be a foreign file`);
    const over = this.#bytes + stat.size - this.limits.maxBytes;
    if (over <= 0) return;
    const occupied = stat.blocks * 512;
    if (occupied * SPARSE < stat.size) {
      const reason = `is sparse: it claims ${stat.size} bytes and occupies ${occupied}`;
      throw new SealRefused('irregular', path, reason);
    }
    const total = this.#bytes + stat.size;
    throw new SealRefused(
      'too_large',
      path,
      `${total} bytes are over the limit of ${this.limits.maxBytes}`,
      over,
    );
  }

  async #take(path: string, source: FileHandle, size: number): Promise<void> {
    const target = this.destination === null ? null : await open(join(this.destination, path), 'wx', 0o444);
    const hash = createHash('sha256');
    try {
      const read = await copy(source, target, hash, size);
      if (read !== size) throw new SealRefused('irregular', path, 'was written to while it was sealed');
      await target?.sync();
    } finally {
      await target?.close();
    }
    this.#bytes += size;
    this.#files.push({ path, bytes: size, sha256: hash.digest('hex') });
  }

  async #link(path: string, full: string): Promise<SealRefused> {
    const root = await realpath(this.folder).catch(() => this.folder);
    const target = await realpath(full).catch(() => null);
    if (path === '.' || target === null) return new SealRefused('irregular', path, 'is a symbolic link');
    const inside = !relative(root, target).startsWith('..');
    return new SealRefused(inside ? 'irregular' : 'outside', path, 'is a symbolic link');
  }
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
