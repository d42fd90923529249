import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from '../domain/task/task.js';
import type { FolderFile } from './folder.js';

/** Folder of what assay lends to evaluators. */
const SOURCE = fileURLToPath(new URL('../../evaluator-kit', import.meta.url));
const FOLDER = 'evaluator-kit';
/** The package that evaluators of served tasks import. */
const PACKAGE = 'assay_serving';

/** The folder, in that of a task, which its evaluator imports the kit from. */
export const kitFolder = (task: string): string => join(task, FOLDER);

/**
 * The files of a task with the kit that its evaluator may import: a served task is stored with its own copy, so that
 * its digest fixes the kit as well, on every host and whatever assay is installed there. A copy in the folder is kept,
 * and nothing is added to it: of two versions Python would import a mixture.
 */
export async function withKit(spec: Task, files: readonly FolderFile[]): Promise<FolderFile[]> {
  if (spec.scoring !== 'served') return [...files];
  const own = [`${FOLDER}/${PACKAGE}.py`, `${FOLDER}/${PACKAGE}/`];
  if (files.some(({ path }) => own.some((start) => path.startsWith(start)))) return [...files];
  const names = (await readdir(join(SOURCE, PACKAGE))).filter((name) => name.endsWith('.py'));
  const lent = await Promise.all(
    names.map(async (name) => ({
      path: `${FOLDER}/${PACKAGE}/${name}`,
      bytes: await readFile(join(SOURCE, PACKAGE, name)),
    })),
  );
  return [...files, ...lent].sort((a, b) => (a.path < b.path ? -1 : 1));
}
