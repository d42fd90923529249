import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { Lineage } from '../../lineage/lineage.js';

/** Writes stored files below a folder that does not hold them yet, one after another: together they may be large. */
export async function writeOut(
  { blobs }: Pick<Lineage, 'blobs'>,
  folder: string,
  files: readonly StoredFile[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { path, sha256 } of files) {
    if (path.split('/').some((segment) => ['', '.', '..'].includes(segment)))
      throw new AssayError('STORE_DOCUMENT', `a stored file is called ${JSON.stringify(path)}`);
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, await blobs.get(sha256), { flag: 'wx' });
  }
}
