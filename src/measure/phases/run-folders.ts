import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { removeTree } from '../../sandbox/remove-tree.js';
import { writeFolder } from '../../tasks/folder.js';
import type { RunHost } from '../host-context.js';

/** Folders of one run on a host; whatever else a phase needs lies beside `recipe` in `folder`. */
export interface RunFolders {
  folder: string;
  recipe: string;
  tmp: string;
  out: string;
}

/** Makes fresh folders, with these files as the recipe; the caller removes them in every case. */
export async function makeRunFolders(
  { lineage, host }: Pick<RunHost, 'lineage' | 'host'>,
  name: string,
  files: readonly StoredFile[],
): Promise<RunFolders> {
  const folder = join(host.work, name);
  const folders = {
    folder,
    recipe: join(folder, 'recipe'),
    tmp: join(folder, 'tmp'),
    out: join(folder, 'out'),
  };
  await removeTree(folder);
  try {
    await writeFolder(folders.recipe, await lineage.blobs.readFiles(files));
    await mkdir(folders.tmp, { recursive: true });
    await mkdir(folders.out);
    return folders;
  } catch (error) {
    await removeRunFolders(folders);
    throw error;
  }
}

/**
 * Removes the folders. What cannot be removed now is removed when the next worker starts; the result must not be lost
 * for it.
 */
export async function removeRunFolders({ folder }: Pick<RunFolders, 'folder'>): Promise<void> {
  await removeTree(folder).catch(() => undefined);
}

export async function freshFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await removeTree(folder);
    await mkdir(folder);
  }
}
