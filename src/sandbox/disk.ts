import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';

/** What folders hold. */
export interface DiskUse {
  /** Bytes that the files occupy. */
  bytes: number;
  /** The largest file by the size it claims. */
  largest: number;
}

const ENTRIES = 200_000;
/** A path that the system still takes; a deeper folder is named by its descriptor. */
const LONGEST = 3000;
/** Folders so deep that are held open at once; with more, what is below is not looked at and counts as too much. */
const DEEP = 64;

/**
 * Measures folders without following links. A folder that vanishes meanwhile counts as empty; more than
 * 200,000 entries are not looked at and count as too much, since anything may be among them. Folders nested beyond the
 * longest path are looked into as well.
 */
export function diskUse(folders: readonly string[]): DiskUse {
  const deep: number[] = [];
  try {
    return measured(folders, deep);
  } finally {
    for (const descriptor of deep) closeSync(descriptor);
  }
}

/** `deep`: collects descriptors to be closed. */
function measured(folders: readonly string[], deep: number[]): DiskUse {
  const use: DiskUse = { bytes: 0, largest: 0 };
  const open = [...folders];
  const seen = new Set<string>();
  let entries = 0;
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of namesIn(folder)) {
      entries += 1;
      if (entries > ENTRIES) return { ...use, bytes: Number.MAX_SAFE_INTEGER };
      const path = join(folder, name);
      const stat = statOrNull(path);
      if (stat === null) continue;
      if (stat.isDirectory()) {
        const reached = path.length > LONGEST ? byDescriptor(path, deep) : path;
        if (reached === null) use.bytes = Number.MAX_SAFE_INTEGER;
        else open.push(reached);
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

/** A short name for a folder whose path is long; null when it cannot be had. */
function byDescriptor(path: string, deep: number[]): string | null {
  if (deep.length >= DEEP) return null;
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    deep.push(descriptor);
    return process.platform === 'linux' ? `/proc/self/fd/${descriptor}` : null;
  } catch (error) {
    // one that vanished holds nothing
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? path : null;
  }
}

/** Bytes of files that processes hold open after they were removed (and of anonymous files in memory). */
export function removedButOpen(pids: readonly number[]): number {
  const seen = new Map<string, number>();
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    for (const name of namesIn(folder).slice(0, 4096)) {
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

function statOrNull(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}
