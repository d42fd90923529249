import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Free space of a disk. */
export interface FreeSpace {
  bytes: number;
  /** Files; null where the file system does not count them. */
  inodes: number | null;
}

/** Reads the free space of the disk that holds a folder, or will hold it. */
export async function freeSpaceAt(folder: string): Promise<FreeSpace> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(folder);
    return { bytes: bavail * bsize, inodes: files === 0 ? null : ffree };
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || dirname(folder) === folder) throw error;
    return freeSpaceAt(dirname(folder));
  }
}

/** Formats free space for people: `1.2 GB free`. */
export function freeSpaceText({ bytes, inodes }: FreeSpace): string {
  const free = bytes < 1e9 ? `${Math.floor(bytes / 1e6)} MB free` : `${(bytes / 1e9).toFixed(1)} GB free`;
  return inodes !== null && inodes < 10_000 ? `${free}, room for ${inodes} more files` : free;
}
