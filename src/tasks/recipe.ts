import { stat } from 'node:fs/promises';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import { FOLDER_LIMITS, recipeFault } from '../domain/task/recipe.js';
import type { TaskDocument } from '../lineage/documents/task.js';
import type { Lineage } from '../lineage/lineage.js';
import { readFolder, type FolderFile } from './folder.js';
import { recipeFiles } from './load.js';

/** A task as it is stored: its start says what a recipe must be. */
export type RecipeTask = Pick<TaskDocument, 'spec' | 'files'>;

/**
 * Reads a person's recipe folder.
 * @throws AssayError RECIPE_INVALID on links, huge files, names that agents may not use, and where a file that the
 * task lets nobody edit is not the start's
 */
export async function loadRecipe(task: RecipeTask, folder: string): Promise<FolderFile[]> {
  const found = await stat(folder).catch(() => null);
  if (found?.isDirectory() !== true) throw new AssayError('RECIPE_INVALID', `${folder} is not a folder`);
  const files = await readFolder(folder, { ...FOLDER_LIMITS, code: 'RECIPE_INVALID' });
  const named = files.map(({ path, bytes }) => ({ path, sha256: sha256(bytes), bytes: bytes.byteLength }));
  const fault = recipeFault(rulesOf(task), recipeFiles(task.spec, task.files), named);
  if (fault !== null) throw new AssayError('RECIPE_INVALID', `${folder}: ${fault}`);
  return files;
}

/** Finds why a stored snapshot cannot be a recipe of a task, in words; null when it can. */
export async function snapshotFault(
  { blobs }: Pick<Lineage, 'blobs'>,
  task: RecipeTask,
  snapshot: string,
): Promise<string | null> {
  if (!(await blobs.hasTree(snapshot))) return 'the files of the submission are not in the store';
  return recipeFault(rulesOf(task), recipeFiles(task.spec, task.files), await blobs.tree(snapshot));
}

const rulesOf = ({ spec: { name, recipe } }: RecipeTask) => ({ name, editable: recipe.editable });
