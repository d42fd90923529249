import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import type { Wheel } from '../domain/task/schema/environment.js';
import { networkVariables } from '../domain/network.js';
import { withoutPasswords } from '../domain/text/redaction.js';
import { endedWell, runTrusted } from '../sandbox/process/trusted-command.js';
import { describe, identityOf, librariesText, nameOf, type Interpreter } from './interpreter.js';
import { matchingPython } from './matching-python.js';
import { foldersOf, unseenProjects } from './python-folders.js';
import { bringWheels } from './wheels.js';

/** The Python that phases and evaluator call `python`. */
export interface Python {
  executable: string;
  /** Version, as in `3.11.7`. */
  version: string;
  /** Existing entries of its sys.path: the standard library, packages, and where editable installs lead. */
  paths: string[];
  /** The folder that assay made for it and can make again; null where all of it is the system's or the person's. */
  environment: string | null;
  /** Folders, and a few files, that a sandbox has to make visible for it. */
  folders: string[];
  /** PATH, where its user's packages are, and what keeps numeric libraries on one thread. */
  env: Record<string, string>;
  /** Differs between interpreters, and between two states of the packages of one. */
  identity: string;
  /** Interpreter and packages, wherever they lie: in words with a digest, equal on hosts that have the same. */
  libraries: string;
}

/** Folders of programs that phases and evaluators find by name, after those of their Python. */
export const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
const INSTALL_SECONDS = 900;
const WHERE = 'in the environment that phases have, which is not that of your shell';

/** Wishes of a task about its Python, beside its requirements. */
export interface PythonWishes {
  /** Range of versions; null for whatever is active. */
  range: string | null;
  /** Wheels that are installed after the requirements. */
  wheels: readonly Wheel[];
}

const NO_WISHES: PythonWishes = { range: null, wheels: [] };

/**
 * The interpreter that a person has active, or another in the range that is asked for; with requirements or wheels a
 * private environment of exactly these that is made from it, once a host and interpreter.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function findPython(
  cache: string,
  requirements: string | null,
  signal: AbortSignal,
  { range, wheels }: PythonWishes = NO_WISHES,
): Promise<Python> {
  const interpreter = await matchingPython(range, signal);
  if (requirements === null && wheels.length === 0) return asPersonHasIt(cache, interpreter, signal);
  const { baseExecutable, build } = interpreter;
  const digests = wheels.map((wheel) => `\0${wheel.sha256}`).join('');
  const key = sha256(`${requirements ?? ''}\0${build}\0${baseExecutable}${digests}`).slice(0, 24);
  const folder = join(cache, 'python', key);
  if (!(await exists(join(folder, 'complete')))) {
    const files = await bringWheels(cache, wheels, signal);
    await make(folder, interpreter.executable, { requirements: requirements ?? '', wheels: files }, signal);
  }
  const bin = join(folder, 'bin');
  const env = environmentOf([bin], null);
  const own = await describe('python', { cwd: '/', env, signal, where: WHERE });
  return pythonOf(own, env, folder);
}

/** @throws AssayError PYTHON_UNAVAILABLE when phases could not import all that the person can */
async function asPersonHasIt(cache: string, person: Interpreter, signal: AbortSignal): Promise<Python> {
  const { executable } = person;
  const bin = dirname(executable);
  const launchers = (await isCalled(bin, executable)) ? null : await makeLaunchers(cache, executable);
  const bins = launchers === null ? [bin] : [join(launchers, 'bin'), bin];
  const env = environmentOf(bins, person.userBase);
  const own = await describe('python', { cwd: '/', env, signal, where: WHERE });
  if (own.prefix !== person.prefix || own.build !== person.build)
    throw new AssayError(
      'PYTHON_UNAVAILABLE',
      `in your shell it is ${nameOf(person)}, and ${WHERE} ${nameOf(own)}`,
      { remedy: 'Unset PYTHONHOME, or name the interpreter itself in ASSAY_PYTHON.' },
    );
  const python = await pythonOf(own, env, launchers);
  const lost = [
    ...[...person.paths, ...person.hooked].filter((path) => !python.paths.includes(path)),
    ...(await unseenProjects(own, python.folders)),
  ];
  if (lost.length === 0) return python;
  throw new AssayError(
    'PYTHON_UNAVAILABLE',
    `${executable} imports from ${lost.join(', ')} in your shell, and phases could not`,
    { remedy: 'Install it into the environment (not editable), or unset PYTHONPATH.' },
  );
}

async function pythonOf(
  own: Interpreter,
  env: Record<string, string>,
  environment: string | null,
): Promise<Python> {
  const { executable, version, paths, hooked } = own;
  const folders = await foldersOf(own);
  if (environment !== null && !folders.includes(environment)) folders.push(environment);
  const identity = identityOf(own);
  const libraries = librariesText(own);
  return {
    executable,
    version,
    paths: [...paths, ...hooked],
    environment,
    folders,
    env,
    identity,
    libraries,
  };
}

function environmentOf(bins: readonly string[], userBase: string | null): Record<string, string> {
  const threads = ['OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'VECLIB_MAXIMUM_THREADS'];
  return {
    PATH: [...new Set([...bins, ...SYSTEM_PATH])].join(delimiter),
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    // a home of its own must not decide what is imported
    ...(userBase === null ? { PYTHONNOUSERSITE: '1' } : { PYTHONUSERBASE: userBase }),
    ...Object.fromEntries(threads.map((name) => [name, '1'])),
  };
}

/** Names by which commands of a task may call it. */
const NAMES = ['python', 'python3'];

/**
 * Returns true when an interpreter has both names in its folder: plain Debian lacks one, and another may be there
 * instead.
 */
async function isCalled(bin: string, executable: string): Promise<boolean> {
  const own = await realpath(executable);
  const found = await Promise.all(NAMES.map((name) => realpath(join(bin, name)).catch(() => null)));
  return found.every((real) => real === own);
}

/** Makes a folder whose `bin` has both names: a link would hide from an interpreter in which environment it lies. */
async function makeLaunchers(cache: string, executable: string): Promise<string> {
  const text = `#!/bin/sh\nexec '${executable.replaceAll("'", `'\\''`)}' "$@"\n`;
  const folder = join(cache, 'python', sha256(text).slice(0, 24));
  await mkdir(join(folder, 'bin'), { recursive: true });
  for (const name of NAMES) {
    const file = join(folder, 'bin', name);
    if ((await readFile(file, 'utf8').catch(() => null)) === text) continue;
    const fresh = `${file}.${randomUUID()}`;
    await writeFile(fresh, text);
    await chmod(fresh, 0o755);
    await rename(fresh, file);
  }
  return folder;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** An environment cannot be moved, so it is made in its place and counts only once it is marked complete. */
async function make(
  folder: string,
  python: string,
  { requirements, wheels }: { requirements: string; wheels: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  const attempt = `${folder}.${randomUUID().slice(0, 8)}`;
  await mkdir(dirname(folder), { recursive: true });
  const env = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '/', ...pipSettings() };
  const run = async (argv: readonly [string, ...string[]]): Promise<void> => {
    const result = await runTrusted(argv, { cwd: dirname(folder), env, timeoutS: INSTALL_SECONDS, signal });
    if (!endedWell(result))
      throw new AssayError(
        'PYTHON_UNAVAILABLE',
        `${argv.slice(0, 4).join(' ')} failed: ${withoutPasswords(env, result.log).slice(-600)}`,
      );
  };
  const pip = (...args: string[]): Promise<void> =>
    run([join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--no-input', ...args]);
  await rm(folder, { recursive: true, force: true });
  await run([python, '-m', 'venv', folder]);
  await withList(`${attempt}.txt`, requirements, (list) => pip('-r', list));
  // their own dependencies are what the task names, and nothing else
  if (wheels.length > 0) await pip('--no-deps', '--no-index', ...wheels);
  await writeFile(`${attempt}.done`, '');
  await rename(`${attempt}.done`, join(folder, 'complete'));
}

async function withList(list: string, text: string, work: (list: string) => Promise<void>): Promise<void> {
  await writeFile(list, text);
  try {
    await work(list);
  } finally {
    await rm(list, { force: true });
  }
}

/** The person's own way to the package index is kept. */
function pipSettings(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) => name.startsWith('PIP_'));
  const own = Object.fromEntries(
    kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  return { ...own, ...networkVariables(process.env) };
}
