import { execFileSync } from 'node:child_process';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A mounted disk of a test. */
export interface SmallDisk {
  remove: () => void;
}

/** A small disk on a folder; null, with the reason on stderr, where this user may not mount one. */
export function smallDisk(folder: string, mib: number): SmallDisk | null {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder], { stdio: 'pipe' });
    return { remove: () => execFileSync('umount', ['-l', folder], { stdio: 'pipe' }) };
  } catch (error) {
    process.stderr.write(`no small disk here, thresholds stand in for it: ${String(error)}\n`);
    return null;
  }
}

/** Fills a disk until `leave` bytes are free. */
export async function fill(folder: string, leave: number): Promise<string> {
  const { bavail, bsize } = await statfs(folder);
  const file = join(folder, 'ballast');
  await writeFile(file, Buffer.alloc(Math.max(0, bavail * bsize - leave), 1));
  return file;
}
