import { basename, dirname, join } from 'node:path';
import type { Task } from '../domain/task.js';
import type { Runtime } from '../sandbox/run.js';
import type { Python } from './python.js';

/** Folders with the programs of the whole system, of which only the interpreter's own are taken. */
const SYSTEM_BIN = new Set(['/bin', '/usr/bin', '/usr/local/bin']);

/** What a run of a task needs of the host: its interpreter with what that can import, and what the task names. */
export function runtimeOf({ spec, python }: { spec: Pick<Task, 'runtime'>; python: Python }): Runtime {
  const { executable, paths, folders } = python;
  const bin = dirname(executable);
  const names = ['python', 'python3', basename(executable)];
  const programs = SYSTEM_BIN.has(bin) ? names.map((name) => join(bin, name)) : [bin, executable];
  const named = spec.runtime?.paths ?? [];
  return {
    paths: [...programs, join(dirname(bin), 'pyvenv.cfg'), ...paths, ...named],
    folders: [...folders, ...named],
  };
}
