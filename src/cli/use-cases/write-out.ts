import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import type { ContentStore } from '../../lineage/blob-store/content-store.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';

/** Writes stored files below a folder that does not hold them yet, one after another: together they may be large. */
export async function writeOut(
  store: Pick<ContentStore, 'writeTo'>,
  folder: string,
  files: readonly StoredFile[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { path, sha256 } of files) {
    if (path.split('/').some((segment) => ['', '.', '..'].includes(segment)))
      throw new AssayError('STORE_DOCUMENT', `a stored file is called ${JSON.stringify(path)}`);
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    await store.writeTo(sha256, target);
  }
}
