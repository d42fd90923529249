import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError, type ErrorCode } from '../../domain/errors.js';
import type { Task } from '../../domain/task/task.js';
import type { Lineage } from '../../lineage/lineage.js';
import { isTaskFolder, readTask } from '../../tasks/load.js';
import { BUNDLED_TASKS } from '../folders.js';

/** One task under the name that `assay start --task` takes. */
export interface TaskLine {
  name: string;
  title: string;
  /** `person`: pushed; it stands before a bundled one of the same name. */
  from: 'bundled' | 'person';
  /** null for a bundled task that no campaign has used yet. */
  digest: string | null;
  /** Profiles that `--profile` takes, the default first; empty for a task without. */
  profiles: string[];
  metric: Task['metric'];
  specialists: string[];
  pool: string;
}

/** `assay.tasks/1`. */
export interface TasksModel {
  schema: 'assay.tasks/1';
  tasks: TaskLine[];
  /** Bundled tasks that cannot be read. */
  broken: BrokenTask[];
}

/** A bundled task that cannot be read, and why. */
export interface BrokenTask {
  folder: string;
  code: ErrorCode;
  message: string;
  remedy: string;
}

/** The bundled tasks and those that people have pushed, by name. */
export async function listTasks(lineage: Lineage, bundled = BUNDLED_TASKS): Promise<TasksModel> {
  const found = new Map<string, TaskLine>();
  const broken: BrokenTask[] = [];
  for (const entry of await readdir(bundled)) {
    const folder = join(bundled, entry);
    if (!(await isTaskFolder(folder))) continue;
    const read = await readTask(folder).catch((error: unknown) => brokenOrThrow(folder, error));
    if ('code' in read) broken.push(read);
    else
      found.set(
        read.spec.name,
        lineOf(read.spec, { from: 'bundled', digest: null, profiles: read.profiles }),
      );
  }
  for (const { name, spec, _id } of await lineage.tasks.list()) {
    const pushed = await lineage.tasks.isPushed(name);
    const bundledOne = found.get(name);
    if (!pushed && bundledOne === undefined) continue;
    const profiles = pushed ? await lineage.tasks.profiles(name) : (bundledOne?.profiles ?? []);
    found.set(name, lineOf(spec, { from: pushed ? 'person' : 'bundled', digest: _id, profiles }));
  }
  const tasks = [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  return { schema: 'assay.tasks/1', tasks, broken };
}

/** One task that is wrong does not hide the others. */
function brokenOrThrow(folder: string, error: unknown): BrokenTask {
  if (!(error instanceof AssayError)) throw error;
  const { code, message, remedy } = error;
  return { folder, code, message, remedy };
}

function lineOf(spec: Task, of: Pick<TaskLine, 'from' | 'digest' | 'profiles'>): TaskLine {
  const { name, title, metric, specialists, resources } = spec;
  return { name, title, ...of, metric, specialists, pool: resources.pool };
}
