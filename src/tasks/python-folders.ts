import { readlink, realpath } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { AssayError } from '../domain/errors.js';
import type { Interpreter } from './interpreter.js';

/** Links at the root of merged systems; a sandbox has them as the system does. */
const SYSTEM_LINKS = /^\/(bin|sbin|lib\w*)(\/|$)/;

/**
 * Folders and files that have to be visible for an interpreter: its prefixes, all that it imports from, where links
 * in that lead, its shared libraries, and each link on the way to its program, by the path that names it and by where it really lies.
 */
export async function foldersOf(interpreter: Interpreter): Promise<string[]> {
  const { prefix, basePrefix, execPrefixes, paths, hooked, executable, baseExecutable } = interpreter;
  const libraries = interpreter.libraries.filter((path) => !holds('/usr', path));
  const more = [...libraries, ...interpreter.linked];
  const programs = [...(await linksFrom(executable)), ...(await linksFrom(baseExecutable))];
  const named = [prefix, basePrefix, ...execPrefixes, ...paths, ...hooked, ...more, ...programs.map(dirname)];
  const existing = await Promise.all(
    named.map(async (path) => {
      const real = await realpath(path).catch(() => null);
      if (real === null) return [];
      return SYSTEM_LINKS.test(path) ? [real] : [path, real];
    }),
  );
  const whole = [...new Set(existing.flat())];
  return whole.filter((path) => !whole.some((other) => other !== path && holds(other, path)));
}

const MOST_LINKS = 40;

/** A path and all that its links lead to, one after the other. */
async function linksFrom(path: string): Promise<string[]> {
  const found = new Set<string>();
  const open = [path];
  for (let at = open.pop(); at !== undefined && found.size < MOST_LINKS; at = open.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    const target = await readlink(at).catch(() => null);
    const folder = await realpath(dirname(at)).catch(() => null);
    // below a link, the same words lead elsewhere by its own path and by the real one
    if (target !== null) open.push(resolve(dirname(at), target));
    if (target !== null && folder !== null) open.push(resolve(folder, target));
  }
  return [...found];
}

/** Returns true when a path is a folder or lies somewhere in it. */
export function holds(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../'));
}

/**
 * Finds the first folder that a sandbox would show together with something hidden that it holds, itself or behind
 * links; null where there is none.
 */
export async function shownWith(
  folders: readonly string[],
  hidden: readonly string[],
): Promise<{ folder: string; shown: string } | null> {
  const real = (path: string): Promise<string> => realpath(path).catch(() => path);
  const kept = [...hidden, ...(await Promise.all(hidden.map(real)))];
  for (const folder of folders)
    for (const place of [folder, await real(folder)]) {
      // visible to every program of the sandbox, whatever it runs
      if (holds('/usr', place)) continue;
      const shown = kept.find((path) => holds(place, path));
      if (shown !== undefined) return { folder, shown };
    }
  return null;
}

/**
 * Refuses what would show recipes more than a Python.
 * @throws AssayError PYTHON_UNAVAILABLE when a folder holds one of the hidden ones
 */
export async function requireHidden(folders: readonly string[], hidden: readonly string[]): Promise<void> {
  const found = await shownWith(folders, hidden);
  if (found === null) return;
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `the active Python imports from ${found.folder}, and recipes that can read it can read ${found.shown} as well`,
    {
      remedy:
        'Use a virtual environment in a folder of its own, without editable installs of that folder, or set ASSAY_HOME to another place.',
    },
  );
}

/** Projects that are installed editable in a way of which it is not known what they import from. */
export async function unseenProjects(of: Interpreter, folders: readonly string[]): Promise<string[]> {
  const { projects, paths, hooked, prefix, basePrefix } = of;
  const own = [prefix, basePrefix];
  const outside = [...paths, ...hooked].filter((path) => !own.some((folder) => holds(folder, path)));
  const sources = await Promise.all(outside.map((path) => realpath(path)));
  const real = await Promise.all(projects.map((project) => realpath(project).catch(() => [])));
  return real
    .flat()
    .filter(
      (project) =>
        !folders.some((folder) => holds(folder, project)) &&
        !sources.some((source) => holds(project, source)),
    );
}
