import { join } from 'node:path';
import { AssayError } from '../domain/errors.js';
import type { TaskDocument } from '../lineage/documents/task.js';
import type { Lineage } from '../lineage/lineage.js';
import { isTaskFolder, loadTask } from './load.js';

/**
 * A task by digest or by name: what a person pushed under that name, else the one that comes with assay, which is
 * uploaded now.
 * @throws AssayError TASK_UNKNOWN
 */
export async function findTask(
  context: { lineage: Pick<Lineage, 'tasks'>; bundledTasks: string },
  reference: string,
): Promise<TaskDocument> {
  const { lineage, bundledTasks } = context;
  const bundled = /^[a-z][a-z0-9-]*$/.test(reference) ? join(bundledTasks, reference) : null;
  if (bundled !== null && !(await lineage.tasks.isPushed(reference)) && (await isTaskFolder(bundled))) {
    const { spec, files } = await loadTask(bundled);
    return lineage.tasks.push(spec, files, 'bundled');
  }
  const found = await lineage.tasks.find(reference);
  if (found !== null) return found;
  throw new AssayError('TASK_UNKNOWN', `there is no task "${reference}"`);
}
