import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AssayError } from '../domain/errors.js';
import type { Task } from '../domain/task/task.js';
import type { Runtime } from '../sandbox/run.js';
import { holds, shownWith } from './python-folders.js';
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

/**
 * Makes sure that this host has what a task names, since a command that cannot find its program would be held against
 * the recipe, and that recipes see nothing of `hidden` by it.
 * @throws AssayError HOST_FAULT when this host lacks it, TASK_INVALID when it holds what is hidden
 */
export async function requireRuntime(
  { name, runtime }: Pick<Task, 'name' | 'runtime'>,
  hidden: readonly string[],
): Promise<void> {
  const paths = runtime?.paths ?? [];
  for (const path of paths)
    await access(path).catch(() => {
      throw new AssayError(
        'HOST_FAULT',
        `this host has no ${path}, which task "${name}" names in runtime.paths`,
        { remedy: 'Install it there on every host of the pool, or correct runtime.paths in task.yaml.' },
      );
    });
  const found = await shownWith(paths, hidden);
  if (found === null) return;
  throw new AssayError(
    'TASK_INVALID',
    `task "${name}" names ${found.folder} in runtime.paths, and recipes that can read it can read ${found.shown} as well`,
    { remedy: 'Name the program itself, or a folder that holds nothing but what its phases need.' },
  );
}
