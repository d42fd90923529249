import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Task } from '../../domain/task/task.js';
import type { Lineage } from '../../lineage/lineage.js';
import { isTaskFolder, loadTask } from '../../tasks/load.js';
import { BUNDLED_TASKS } from '../folders.js';

/** One task under the name that `assay start --task` takes. */
export interface TaskLine {
  name: string;
  title: string;
  /** `person`: pushed; it stands before a bundled one of the same name. */
  from: 'bundled' | 'person';
  /** null for a bundled task that no campaign has used yet. */
  digest: string | null;
  metric: Task['metric'];
  specialists: string[];
  pool: string;
}

/** `assay.tasks/1`. */
export interface TasksModel {
  schema: 'assay.tasks/1';
  tasks: TaskLine[];
}

/** The bundled tasks and those that people have pushed, by name. */
export async function listTasks(lineage: Lineage, bundled = BUNDLED_TASKS): Promise<TasksModel> {
  const found = new Map<string, TaskLine>();
  for (const entry of await readdir(bundled)) {
    const folder = join(bundled, entry);
    if (!(await isTaskFolder(folder))) continue;
    const { spec } = await loadTask(folder);
    found.set(spec.name, lineOf(spec, 'bundled', null));
  }
  for (const { name, spec, _id } of await lineage.tasks.list()) {
    const pushed = await lineage.tasks.isPushed(name);
    if (pushed || found.has(name)) found.set(name, lineOf(spec, pushed ? 'person' : 'bundled', _id));
  }
  return { schema: 'assay.tasks/1', tasks: [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function lineOf(spec: Task, from: TaskLine['from'], digest: string | null): TaskLine {
  const { name, title, metric, specialists, resources } = spec;
  return { name, title, from, digest, metric, specialists, pool: resources.pool };
}
