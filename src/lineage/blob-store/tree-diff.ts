import type { Named } from '../../domain/text/diff.js';
import type { StoredFile } from '../documents/snapshot.js';
import type { Blobs } from './blobs.js';
import { diffOffLoop, type TreeDiff } from './diff-worker.js';

/** Bytes of both sides of all files that are compared; files beyond them are only named. */
const MOST_BYTES = 8 * 1024 * 1024;

/** Compares two stored trees by their digests, reading only files that differ. */
export async function treeDiff(blobs: Blobs, before: string, after: string): Promise<TreeDiff> {
  const [old, now] = [filesByPath(await blobs.tree(before)), filesByPath(await blobs.tree(after))];
  const paths = [...new Set([...old.keys(), ...now.keys()])].sort();
  const sides: [Named[], Named[]] = [[], []];
  let left = MOST_BYTES;
  for (const path of paths) {
    const files = [old.get(path), now.get(path)] as const;
    if (files[0]?.sha256 === files[1]?.sha256) continue;
    const size = files.reduce((sum, file) => sum + (file?.bytes ?? 0), 0);
    const fits = size <= left;
    if (fits) left -= size;
    for (const [at, file] of files.entries())
      if (file !== undefined) sides[at]?.push({ path, bytes: fits ? await blobs.get(file.sha256) : null });
  }
  return diffOffLoop(...sides);
}

const filesByPath = (files: readonly StoredFile[]): Map<string, StoredFile> =>
  new Map(files.map((file) => [file.path, file]));
