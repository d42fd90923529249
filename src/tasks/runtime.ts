import { basename, dirname, join } from 'node:path';
import type { Task } from '../domain/task/task.js';
import type { Runtime } from '../sandbox/run.js';
import { holds } from './python-folders.js';
import type { Python } from './python.js';

type Installed = Pick<Python, 'executable' | 'paths' | 'folders'>;

/**
 * Lists what a run of a task needs of the host: its interpreter with what that can import, and what the task names.
 */
export function runtimeOf({ spec, python }: { spec: Pick<Task, 'runtime'>; python: Installed }): Runtime {
  const { executable, paths, folders } = python;
  const named = spec.runtime?.paths ?? [];
  const parts = folders.flatMap((folder) => partsOf(folder, python));
  return { paths: [executable, ...parts, ...named], library: paths, folders: [...folders, ...named] };
}

/** Lists the programs of a prefix only: of the rest, an interpreter needs what it can import. */
function partsOf(folder: string, { executable, paths }: Installed): string[] {
  const isPrefix = paths.some((path) => path !== folder && holds(folder, path));
  if (!isPrefix) return [folder];
  const bin = join(folder, 'bin');
  // the system's folder of programs holds those of everything
  if (holds('/usr', folder))
    return ['python', 'python3', basename(executable)].map((name) => join(dirname(executable), name));
  return [bin, join(folder, 'pyvenv.cfg')];
}
