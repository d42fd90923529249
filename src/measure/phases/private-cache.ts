import { constants } from 'node:fs';
import { chmod, cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../../sandbox/remove-tree.js';
import type { CacheFolder } from '../../sandbox/run.js';
import type { SealedCache } from './training.js';

/** Bytes of a file's last page on a disk, and of a folder. */
const PAGE = 4096;

/** Fields of a call of a process that gets a copy of a cache in this folder; none where there is no cache. */
export const cacheCall = (cache: SealedCache | null, folder: string): { cache?: CacheFolder } =>
  cache === null ? {} : { cache: { folder, bytes: bytesOf(cache) } };

const bytesOf = ({ sealed: { bytes, files } }: SealedCache): number => bytes + 2 * PAGE * (files.length + 1);

/** Makes a private copy of a cache, which its process may write, in place of what lies there. */
export async function copyCache(cache: SealedCache | null, folder: string): Promise<void> {
  if (cache === null) return;
  await removeTree(folder);
  await mkdir(folder);
  await cp(cache.folder, folder, { recursive: true, mode: constants.COPYFILE_FICLONE });
  await makeWritable(folder);
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeWritable(path);
    else await chmod(path, 0o644);
  }
}
