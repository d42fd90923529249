import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from '../domain/task/task.js';
import type { FolderFile } from './folder.js';

/** Folder of what assay lends to evaluators. */
const SOURCE = fileURLToPath(new URL('../../evaluator-kit', import.meta.url));
const FOLDER = 'evaluator-kit';
const NAMES = ['assay_serving.py'];

/** The folder, in that of a task, which its evaluator imports the kit from. */
export const kitFolder = (task: string): string => join(task, FOLDER);

/**
 * The files of a task with the kit that its evaluator may import: a served task is stored with its own copy, so that
 * its digest fixes the kit as well, on every host and whatever assay is installed there. A copy in the folder is kept.
 */
export async function withKit(spec: Task, files: readonly FolderFile[]): Promise<FolderFile[]> {
  if (spec.scoring !== 'served') return [...files];
  const missing = NAMES.map((name) => ({ name, path: `${FOLDER}/${name}` })).filter(
    ({ path }) => !files.some((file) => file.path === path),
  );
  const lent = await Promise.all(
    missing.map(async ({ name, path }) => ({ path, bytes: await readFile(join(SOURCE, name)) })),
  );
  return [...files, ...lent].sort((a, b) => (a.path < b.path ? -1 : 1));
}
