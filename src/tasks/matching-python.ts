import { access, constants, readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { isInRange } from '../domain/task/python-range.js';
import { AssayError } from '../domain/errors.js';
import { activePython, personEnvironment } from './active-python.js';
import { describe, nameOf, type Interpreter } from './interpreter.js';

/** Minor versions of Python 3 that are looked for, the newest first. */
const MINORS = Array.from({ length: 20 }, (_, at) => 29 - at);

/**
 * The interpreter for a task: the active one where its version is in the range, or there is none; else the first that
 * fits of those that PATH has by version (`python3.13`, …), and of what pyenv and uv have installed for this user.
 * @throws AssayError PYTHON_UNAVAILABLE, with those that do not fit
 */
export async function matchingPython(range: string | null, signal: AbortSignal): Promise<Interpreter> {
  const active = await activePython(signal).catch((error: unknown) => {
    // another may fit where the active one is too old to be used at all
    if (range !== null && error instanceof AssayError && error.code === 'PYTHON_UNAVAILABLE') return null;
    throw error;
  });
  if (active !== null && (range === null || isInRange(active.interpreter.version, range)))
    return active.interpreter;
  const seen = active === null ? [] : [active.interpreter];
  for (const command of await candidates()) {
    const of = { cwd: '/', env: personEnvironment(), signal, where: 'for a task' };
    const found = await describe(command, of).catch(() => null);
    signal.throwIfAborted();
    if (found === null) continue;
    if (isInRange(found.version, range ?? '')) return found;
    seen.push(found);
  }
  const others = [...new Set(seen.map(nameOf))];
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `the task needs Python ${range ?? ''}, and this host has ${others.join(', ') || 'none that can be used'}`,
    { remedy: 'Install one in that range so that PATH, pyenv or uv has it, or name it in ASSAY_PYTHON.' },
  );
}

/** Commands that may start another Python, in the order in which they are tried. */
async function candidates(): Promise<string[]> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  const named = MINORS.flatMap((minor) => folders.map((folder) => join(folder, `python3.${minor}`)));
  const { PYENV_ROOT, UV_PYTHON_INSTALL_DIR, XDG_DATA_HOME } = process.env;
  const installs = [
    join(PYENV_ROOT || join(homedir(), '.pyenv'), 'versions'),
    UV_PYTHON_INSTALL_DIR || join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'uv', 'python'),
  ];
  const installed = await Promise.all(
    installs.map(async (folder) =>
      (await readdir(folder).catch(() => []))
        .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
        .map((name) => join(folder, name, 'bin', 'python3')),
    ),
  );
  const all = [...named, ...installed.flat()];
  const there = await Promise.all(all.map(isExecutable));
  return [...new Set(all.filter((_, at) => there[at]))];
}

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
