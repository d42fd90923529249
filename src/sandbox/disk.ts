import { lstatSync, readdirSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** What folders hold. */
export interface DiskUse {
  /** Bytes that the files occupy. */
  bytes: number;
  /** The largest file by the size it claims. */
  largest: number;
}

const ENTRIES = 200_000;

/**
 * Measures folders without following links. A folder that vanishes meanwhile counts as empty; after 200,000
 * entries the rest is not looked at (what a file costs at least, one block, is counted for each).
 */
export function diskUse(folders: readonly string[]): DiskUse {
  const use: DiskUse = { bytes: 0, largest: 0 };
  const open = [...folders];
  const seen = new Set<string>();
  for (let entries = 0, folder = open.pop(); folder !== undefined && entries < ENTRIES; folder = open.pop()) {
    for (const name of namesIn(folder)) {
      entries += 1;
      const path = join(folder, name);
      const stat = statOrNull(path);
      if (stat === null) continue;
      if (stat.isDirectory()) open.push(path);
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

function namesIn(folder: string): string[] {
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
