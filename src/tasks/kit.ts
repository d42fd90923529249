import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Task } from '../domain/task/task.js';
import type { FolderFile } from './folder.js';

/** Folder of what assay lends to programs of a task. */
export const KIT_SOURCE = fileURLToPath(new URL('../../evaluator-kit', import.meta.url));
/** Module of the kit that preparations import. */
export const PREPARE_KIT = 'assay_prepare.py';
const FOLDER = 'evaluator-kit';
/** The package that evaluators of served tasks import. */
const PACKAGE = 'assay_serving';

/** The folder, in that of a task, which its evaluator and its preparation import the kit from. */
export const kitFolder = (task: string): string => join(task, FOLDER);

/**
 * The files of a task with the kit that its programs may import: a served task, and one whose preparation imports that
 * of preparations, is stored with its own copy, so that its digest fixes the kit as well, on every host and whatever
 * assay is installed there. A copy in the folder is kept, and nothing is added to it: of two versions Python would
 * import a mixture.
 */
export async function withKit(spec: Task, files: readonly FolderFile[]): Promise<FolderFile[]> {
  const prepare = files.find(({ path }) => path === spec.data?.prepare)?.bytes.toString('latin1') ?? '';
  const has = (start: string): boolean => files.some(({ path }) => path.startsWith(`${FOLDER}/${start}`));
  const names = [
    ...(spec.scoring === 'served' && !has(`${PACKAGE}.py`) && !has(`${PACKAGE}/`) ? await servingKit() : []),
    ...(/^\s*(from|import)\s+assay_prepare\b/m.test(prepare) && !has(PREPARE_KIT) ? [PREPARE_KIT] : []),
  ];
  const lent = await Promise.all(
    names.map(async (name) => ({ path: `${FOLDER}/${name}`, bytes: await readFile(join(KIT_SOURCE, name)) })),
  );
  return [...files, ...lent].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function servingKit(): Promise<string[]> {
  const names = await readdir(join(KIT_SOURCE, PACKAGE));
  return names.filter((name) => name.endsWith('.py')).map((name) => `${PACKAGE}/${name}`);
}
