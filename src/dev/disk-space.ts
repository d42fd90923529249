import { AssayError } from '../domain/errors.js';
import { freeSpaceAt, freeSpaceText, type FreeSpace } from '../sandbox/host/free-space.js';

const MB = 1e6;
/** Servers do not start with less: they could not even write down what they hold. */
const LEAST_BYTES = 200 * MB;
const NEARLY_FULL_BYTES = 2000 * MB;
const LEAST_INODES = 1000;

export function isTooFull({ bytes, inodes }: FreeSpace): boolean {
  return bytes < LEAST_BYTES || (inodes ?? LEAST_INODES) < LEAST_INODES;
}

export function isNearlyFull({ bytes, inodes }: FreeSpace): boolean {
  return bytes < NEARLY_FULL_BYTES || (inodes ?? Infinity) < 10 * LEAST_INODES;
}

/**
 * Before servers are started on a folder: warns when its disk is nearly full.
 * @throws AssayError DISK_FULL when there is really too little
 */
export async function checkDiskSpace(folder: string, say: (line: string) => void): Promise<void> {
  const room = await freeSpaceAt(folder);
  if (isTooFull(room))
    throw new AssayError(
      'DISK_FULL',
      `the disk of ${folder} has ${freeSpaceText(room)}; servers need ${LEAST_BYTES / MB} MB at least`,
    );
  if (isNearlyFull(room)) say(`the disk of ${folder} is nearly full: ${freeSpaceText(room)}`);
}
