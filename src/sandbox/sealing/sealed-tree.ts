import { chmod, lstat, lutimes, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** The time of every sealed file and folder, in seconds: 1 January 2000, UTC. */
export const SEALED_AT = 946_684_800;
const [FILE, FOLDER] = [0o444, 0o555];

/**
 * Makes a tree of assay's own read-only, with fixed modes and times, so that nothing tells by whom and when it was
 * written.
 */
export async function normaliseTree(path: string): Promise<void> {
  const folder = (await lstat(path)).isDirectory();
  if (folder) for (const name of await readdir(path)) await normaliseTree(join(path, name));
  await chmod(path, folder ? FOLDER : FILE);
  await lutimes(path, SEALED_AT, SEALED_AT);
}
