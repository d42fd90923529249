import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AssayError } from '../domain/errors.js';
import { isCode } from './files.js';

const MB = 1e6;
/** Servers do not start with less: they could not even write down what they hold. */
const LEAST_BYTES = 200 * MB;
const NEARLY_FULL_BYTES = 2000 * MB;
const LEAST_INODES = 1000;

/** What a disk can still take. */
export interface Room {
  bytes: number;
  /** Files; null where the file system does not count them. */
  inodes: number | null;
}

/** Of the disk that holds a folder, or will hold it. */
export async function roomAt(folder: string): Promise<Room> {
  try {
    const { bavail, bsize, files, ffree } = await statfs(folder);
    return { bytes: bavail * bsize, inodes: files === 0 ? null : ffree };
  } catch (error) {
    if (!isCode(error, 'ENOENT', 'ENOTDIR') || dirname(folder) === folder) throw error;
    return roomAt(dirname(folder));
  }
}

export function isTooFull({ bytes, inodes }: Room): boolean {
  return bytes < LEAST_BYTES || (inodes ?? LEAST_INODES) < LEAST_INODES;
}

export function isNearlyFull({ bytes, inodes }: Room): boolean {
  return bytes < NEARLY_FULL_BYTES || (inodes ?? Infinity) < 10 * LEAST_INODES;
}

/** As shown to a person: `1.2 GB free`. */
export function roomText({ bytes, inodes }: Room): string {
  const free = bytes < 1e9 ? `${Math.floor(bytes / MB)} MB free` : `${(bytes / 1e9).toFixed(1)} GB free`;
  return (inodes ?? Infinity) < 10 * LEAST_INODES ? `${free}, room for ${inodes ?? 0} more files` : free;
}

/**
 * Before servers are started on a folder: warns when its disk is nearly full.
 * @throws AssayError DISK_FULL when there is really too little
 */
export async function checkRoom(folder: string, say: (line: string) => void): Promise<void> {
  const room = await roomAt(folder);
  if (isTooFull(room))
    throw new AssayError(
      'DISK_FULL',
      `the disk of ${folder} has ${roomText(room)}; servers need ${LEAST_BYTES / MB} MB at least`,
    );
  if (isNearlyFull(room)) say(`the disk of ${folder} is nearly full: ${roomText(room)}`);
}
