import {
  closeSync,
  constants,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';

/** Bytes and entries that folders hold. */
export interface DiskUse {
  /** Bytes that the files occupy. */
  bytes: number;
  /** The largest file by the size it claims. */
  largest: number;
}

const ENTRIES = 200_000;
/** Names after which others get their turn: a program may leave as many as it likes. */
const SLICE = 1000;
/** Bytes of a path that the system still takes; a deeper folder is named by its descriptor. */
const LONGEST = 3000;
/** Folders so deep that are held open at once; with more, what is below is not looked at and counts as too much. */
const DEEP = 64;
const TOO_MUCH = Number.MAX_SAFE_INTEGER;

/**
 * Measures folders without following links. A folder that vanishes meanwhile counts as empty. What cannot be looked at
 * counts as too much, since anything may be there: more than 200,000 entries, and folders that a program closed to
 * its own user. Folders nested beyond the longest path are looked into as well.
 */
export async function diskUse(folders: readonly string[]): Promise<DiskUse> {
  const deep: number[] = [];
  try {
    return await measured(folders, deep);
  } finally {
    for (const descriptor of deep) closeSync(descriptor);
  }
}

/** `deep`: collects descriptors to be closed. */
async function measured(folders: readonly string[], deep: number[]): Promise<DiskUse> {
  const use: DiskUse = { bytes: 0, largest: 0 };
  const open: Buffer[] = folders.map((folder) => Buffer.from(folder));
  const seen = new Set<string>();
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const names = await listed(folder, ENTRIES - entries);
    if (names === null) return { ...use, bytes: TOO_MUCH };
    for (const name of names) {
      entries += 1;
      if (entries % SLICE === 0) await setImmediate();
      const path = Buffer.concat([folder, SLASH, name]);
      const stat = statOrNull(path);
      if (stat === null) continue;
      if (stat.isDirectory()) {
        const reached = path.length > LONGEST ? byDescriptor(path, deep) : path;
        if (reached === null) return { ...use, bytes: TOO_MUCH };
        open.push(reached);
      }
      if (stat.nlink > 1 && !stat.isDirectory()) {
        const inode = `${stat.dev}:${stat.ino}`;
        if (seen.has(inode)) continue;
        seen.add(inode);
      }
      use.bytes += Math.max(stat.blocks, 1) * 512;
      if (stat.isFile()) use.largest = Math.max(use.largest, stat.size);
    }
  }
  return use;
}

const SLASH = Buffer.from('/');

/** The names in a folder, which need not be UTF-8; null where they are more than `most`, or the folder is closed. */
async function listed(path: Buffer, most: number): Promise<Buffer[] | null> {
  const names: Buffer[] = [];
  try {
    // one character a byte
    const folder = opendirSync(path, { encoding: 'latin1' });
    try {
      for (let entry = folder.readSync(); entry !== null; entry = folder.readSync()) {
        if (names.length >= most) return null;
        names.push(Buffer.from(entry.name, 'latin1'));
        if (names.length % SLICE === 0) await setImmediate();
      }
    } finally {
      folder.closeSync();
    }
  } catch (error) {
    if (isCode(error, 'EACCES')) return null;
    // it vanished, or is looked at again a moment later
  }
  return names;
}

/** A short name for a folder whose path is long; null when it cannot be had. */
function byDescriptor(path: Buffer, deep: number[]): Buffer | null {
  if (deep.length >= DEEP) return null;
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    deep.push(descriptor);
    return process.platform === 'linux' ? Buffer.from(`/proc/self/fd/${descriptor}`) : null;
  } catch (error) {
    // one that vanished holds nothing
    return isCode(error, 'ENOENT') ? path : null;
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** Bytes of files that processes hold open after they were removed (and of anonymous files in memory). */
export async function removedButOpen(pids: readonly number[]): Promise<number> {
  const seen = new Map<string, number>();
  let looked = 0;
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    for (const name of namesIn(folder).slice(0, 4096)) {
      looked += 1;
      if (looked % SLICE === 0) await setImmediate();
      const path = join(folder, name);
      try {
        if (!readlinkSync(path).endsWith(' (deleted)')) continue;
        const stat = statSync(path);
        if (stat.isFile()) seen.set(`${stat.dev}:${stat.ino}`, stat.blocks * 512);
      } catch {
        // closed meanwhile
      }
    }
  }
  let bytes = 0;
  for (const held of seen.values()) bytes += held;
  return bytes;
}

/** The names in a folder; none where it is gone or closed. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statOrNull(path: Buffer): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
