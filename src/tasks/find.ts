import { join } from 'node:path';
import { AssayError } from '../domain/errors.js';
import { splitReference, unknownProfile } from '../domain/task/profiles.js';
import type { TaskDocument } from '../lineage/documents/task.js';
import type { Lineage } from '../lineage/lineage.js';
import { isTaskFolder, loadTask } from './load.js';

/**
 * A task by digest or by name, which may name a profile (`NAME@PROFILE`): what a person pushed under that name, else
 * the one that comes with assay, which is uploaded now.
 * @throws AssayError TASK_UNKNOWN, PROFILE_UNKNOWN
 */
export async function findTask(
  { lineage, bundledTasks }: { lineage: Pick<Lineage, 'tasks'>; bundledTasks: string },
  reference: string,
): Promise<TaskDocument> {
  const { task, profile } = splitReference(reference);
  const bundled = /^[a-z][a-z0-9-]*$/.test(task) ? join(bundledTasks, task) : null;
  const pushed = (await lineage.tasks.isPushed(task)) || (await lineage.tasks.isPushed(reference));
  if (bundled !== null && !pushed && (await isTaskFolder(bundled))) {
    const loaded = await loadTask(bundled, { profile });
    return lineage.tasks.push(loaded.spec, loaded.files, 'bundled', loaded.reference);
  }
  const exact = await lineage.tasks.find(reference);
  if (exact !== null) return exact;
  const found = profile === null ? null : await lineage.tasks.find(task);
  if (found === null) throw new AssayError('TASK_UNKNOWN', `there is no task "${task}"`);
  if (found.spec.profile === profile) return found;
  throw unknownProfile(task, profile ?? '', await lineage.tasks.profiles(task));
}
