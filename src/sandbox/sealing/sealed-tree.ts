import { chmod, lstat, lutimes, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from '../remove-tree.js';

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

/** Writes what was sealed elsewhere as `sealTo` leaves it, in place of what lies there. */
export async function writeSealed(
  folder: string,
  files: readonly { path: string; bytes: Uint8Array }[],
): Promise<void> {
  await removeTree(folder);
  await mkdir(folder);
  for (const { path, bytes } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes, { flag: 'wx' });
  }
  await normaliseTree(folder);
}
