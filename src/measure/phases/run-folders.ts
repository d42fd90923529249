import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { removeTree } from '../../sandbox/remove-tree.js';
import { writeFolder } from '../../tasks/folder.js';
import type { RunHost } from '../host-context.js';

/**
 * A folder that a run finds empty, and the place where what will appear in it lies ready. Both are on one file system,
 * and no run is given the second one.
 */
export interface StagedInput {
  shown: string;
  unseen: string;
}

/** Folders of one run on a host; whatever else a phase needs lies beside `recipe` in `folder`. */
export interface RunFolders {
  folder: string;
  recipe: string;
  tmp: string;
  out: string;
  /** Training data, and revealed inputs, for runs that see them when they say a word. */
  data: StagedInput;
  reveal: StagedInput;
  /** Private copy of a cache, for a task that has one. */
  cache: string;
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
    data: stagedIn(folder, 'data'),
    reveal: stagedIn(folder, 'reveal'),
    cache: join(folder, 'cache'),
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

const stagedIn = (folder: string, name: string): StagedInput => ({
  shown: join(folder, name),
  unseen: join(folder, `unseen-${name}`),
});

/**
 * Removes the folders. What cannot be removed now is removed when the next worker starts; the result must not be lost
 * for it.
 */
export async function removeRunFolders({ folder }: Pick<RunFolders, 'folder'>): Promise<void> {
  await removeTree(folder).catch(() => undefined);
}

/** Makes folders again, empty. */
export async function freshFolders(folders: readonly string[], mode = 0o777): Promise<void> {
  for (const folder of folders) {
    await removeTree(folder);
    await mkdir(folder, { mode });
  }
}
