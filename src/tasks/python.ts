import { randomUUID } from 'node:crypto';
import { access, mkdir, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import { endedWell, runTrusted } from '../sandbox/command.js';
import { describe } from './interpreter.js';

/** The Python that phases call `python`. */
export interface Python {
  executable: string;
  /** As in `3.11.7`. */
  version: string;
  /** Existing entries of its sys.path: the standard library, packages, and where editable installs lead. */
  paths: string[];
  /** The folder of a private environment; null for the system's own. */
  environment: string | null;
  /** Folders that a sandbox has to make visible for it. */
  folders: string[];
  /** PATH and what keeps numeric libraries on one thread. */
  env: Record<string, string>;
}

const probeSchema = z.object({
  version: z.tuple([z.number(), z.number()]),
  prefix: z.string(),
  executable: z.string(),
});

const PROBE =
  'import json,sys,venv;print(json.dumps({"version":sys.version_info[:2],"prefix":sys.base_prefix,"executable":sys.executable}))';
const SYSTEM_PATH = ['/usr/local/bin', '/usr/bin', '/bin'];
const INSTALL_SECONDS = 900;

/**
 * A private environment with exactly the given requirements, made once a host and Python version. Without
 * requirements it is the system's own, unless that is called `python3` alone, as on plain Debian.
 * @throws AssayError PYTHON_UNAVAILABLE
 */
export async function findPython(
  cache: string,
  requirements: string | null,
  signal: AbortSignal,
): Promise<Python> {
  const system = await probe(signal);
  const own = dirname(system.executable);
  if (requirements === null && (await exists(join(own, 'python'))))
    return pythonIn(own, system.executable, null, [system.prefix], signal);
  const key = sha256(`${requirements ?? ''}\0${system.version.join('.')}\0${system.prefix}`).slice(0, 24);
  const folder = join(cache, 'python', key);
  if (!(await exists(join(folder, 'complete')))) await make(folder, system.executable, requirements, signal);
  const bin = join(folder, 'bin');
  return pythonIn(bin, join(bin, 'python'), folder, [folder, system.prefix], signal);
}

async function pythonIn(
  bin: string,
  executable: string,
  environment: string | null,
  folders: string[],
  signal: AbortSignal,
): Promise<Python> {
  const threads = ['OPENBLAS_NUM_THREADS', 'OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'VECLIB_MAXIMUM_THREADS'];
  const env = {
    PATH: [bin, ...SYSTEM_PATH].join(delimiter),
    LANG: 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    ...Object.fromEntries(threads.map((name) => [name, '1'])),
  };
  const { version, paths, hooked } = await describe(executable, { cwd: '/', env, signal });
  return { executable, version, paths: [...paths, ...hooked], environment, folders, env };
}

async function probe(signal: AbortSignal): Promise<z.infer<typeof probeSchema>> {
  const wanted = process.env.ASSAY_PYTHON ?? 'python3';
  const env = { PATH: process.env.PATH ?? SYSTEM_PATH.join(delimiter), HOME: process.env.HOME ?? '/' };
  const result = await runTrusted([wanted, '-c', PROBE], { cwd: '/', env, timeoutS: 30, signal });
  if (!endedWell(result))
    throw new AssayError('PYTHON_UNAVAILABLE', `${wanted} does not run: ${result.log.trim().slice(-300)}`);
  const found = probeSchema.parse(JSON.parse(result.log.trim()));
  const [major, minor] = found.version;
  if (major !== 3 || minor < 10)
    throw new AssayError(
      'PYTHON_UNAVAILABLE',
      `${wanted} is Python ${major}.${minor}; 3.10 or later is needed`,
    );
  return { ...found, prefix: await realpath(found.prefix) };
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
  requirements: string | null,
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
        `${argv.slice(0, 4).join(' ')} failed: ${result.log.slice(-600)}`,
      );
  };
  await rm(folder, { recursive: true, force: true });
  await run([python, '-m', 'venv', ...(requirements === null ? ['--without-pip'] : []), folder]);
  if (requirements !== null) await install(folder, requirements, attempt, run);
  await writeFile(`${attempt}.done`, '');
  await rename(`${attempt}.done`, join(folder, 'complete'));
}

async function install(
  folder: string,
  requirements: string,
  attempt: string,
  run: (argv: readonly [string, ...string[]]) => Promise<void>,
): Promise<void> {
  const list = `${attempt}.txt`;
  await writeFile(list, requirements);
  try {
    await run([join(folder, 'bin', 'python'), '-m', 'pip', 'install', '--quiet', '--no-input', '-r', list]);
  } finally {
    await rm(list, { force: true });
  }
}

/** The person's own way to the package index is kept. */
function pipSettings(): Record<string, string> {
  const kept = Object.entries(process.env).filter(([name]) =>
    /^(PIP_|HTTPS?_PROXY|https?_proxy|NO_PROXY|SSL_CERT|REQUESTS_CA)/.test(name),
  );
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}
