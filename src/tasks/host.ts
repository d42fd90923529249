import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '../domain/digest.js';
import { AssayError } from '../domain/errors.js';
import { definedFields } from '../domain/defined-fields.js';
import { networkVariables } from '../domain/network.js';
import { largestDiskMb } from '../domain/task/phase-resources.js';
import { recipeEnvironment } from '../domain/task/phase-environment.js';
import type { Task } from '../domain/task/task.js';
import { withoutPasswords, withoutSecret } from '../domain/text/redaction.js';
import { endedWell, runTrusted } from '../sandbox/process/trusted-command.js';
import { describeEnding } from '../sandbox/describe-ending.js';
import { LeasePool } from '../sandbox/host/lease.js';
import type { Sandbox } from '../sandbox/run.js';
import { SharedWork } from './shared-work.js';
import { TamperDetection } from './tamper-detection.js';
import { checkManifest, MANIFEST } from './data-manifest.js';
import { readRegular, writeFolder } from './folder.js';
import { mirrorFolder, tasksHome } from './home.js';
import { kitFolder } from './kit.js';
import { withProgress, type PrepareProgress } from './prepare-progress.js';
import { findPython, type Python, type PythonWishes } from './python.js';
import { requireRuntime, runtimeOf } from './runtime.js';
import { requireServable, requireUsable } from './same-python.js';

/** A task as it lies on this host. */
export interface HostedTask {
  spec: Task;
  digest: string;
  /** The task folder, read-only by convention. */
  folder: string;
  python: Python;
  /** Folders of prepared data by part; empty for a task without data. */
  parts: { train: string | null; search: string | null; claim: string | null; reveal: string | null };
  /** Digest of the manifest of the prepared data; null for a task without data. */
  manifest: string | null;
}

/** Source of a task. */
export interface TaskSource {
  spec: Task;
  digest: string;
  dataSecret: string;
  files: () => Promise<{ path: string; bytes: Uint8Array }[]>;
}

const PREPARE_SECONDS = 1800;
/** Bytes of a file that is permuted, which is read as a whole. */
const LARGEST_PERMUTED = 1024 ** 3;
/** Characters of a preparation's log that are told when it fails. */
const MOST_TOLD = 1500;

/** How preparations are run. */
export interface Preparing {
  /** Seconds after which one is ended. */
  limitS: number;
  /** Told how far it is with its downloads; null: nobody is. */
  tell: ((progress: PrepareProgress) => void) | null;
}

/** Tasks materialised on this host, each once: files from the store, a private Python, prepared data. */
export class TaskHost {
  private readonly hosted = new SharedWork<HostedTask>();
  private readonly servable = new SharedWork<void>();
  private largest = 0;

  constructor(
    /** Folder of this host for tasks and their data. */
    private readonly home: string,
    /** Folder shared between clones for Python environments. */
    private readonly cache: string,
    /** Sandbox in which phases run. */
    private readonly sandbox: Sandbox,
    /** Looks after what trials share; by default nothing does. */
    readonly tampering = new TamperDetection(false),
    private readonly preparing: Preparing = { limitS: PREPARE_SECONDS, tell: null },
  ) {}

  /** Folders that no recipe may read. */
  private get hidden(): string[] {
    return [this.home, homedir()];
  }

  /** The most that a run of a task seen here may write, in bytes; 0 before the first. */
  get largestDiskBytes(): number {
    return this.largest;
  }

  /** Makes sure of everything the task needs, once for all who ask. */
  async host(source: TaskSource, signal: AbortSignal): Promise<HostedTask> {
    this.largest = Math.max(this.largest, largestDiskMb(source.spec) * 1024 * 1024);
    return this.hosted.join(source.digest, signal, (shared) => this.make(source, shared));
  }

  private async make(source: TaskSource, signal: AbortSignal): Promise<HostedTask> {
    const { spec, digest } = source;
    const folder = await this.materialise(source);
    const requirements =
      spec.requirements === undefined ? null : await readFile(join(folder, spec.requirements), 'utf8');
    await requireRuntime(spec, this.sandbox.isolation.fs === 'enforced' ? this.hidden : []);
    const wishes = { range: spec.python ?? null, wheels: spec.wheels ?? [] };
    const python = await this.python(requirements, wishes, signal);
    const hosted = { spec, digest, folder, python };
    await this.tampering.keep({
      name: `task "${spec.name}"`,
      folder,
      restore: async () => {
        await rm(folder, { recursive: true, force: true });
        await this.materialise(source);
      },
    });
    if (python.environment !== null)
      await this.tampering.keep({
        name: `the Python of task "${spec.name}"`,
        folder: python.environment,
        restore: async () => {
          await rm(python.environment ?? '', { recursive: true, force: true });
          // not of the run that finds the damage: it is for all
          const whole = new AbortController().signal;
          await this.alone('python', whole, () => findPython(this.cache, requirements, whole, wishes));
        },
      });
    if (spec.data === undefined)
      return { ...hosted, parts: { train: null, search: null, claim: null, reveal: null }, manifest: null };
    const prepared = await this.prepare(source, folder, python, signal);
    await this.tampering.keep({
      name: `the prepared data of task "${spec.name}"`,
      folder: prepared.folder,
      restore: async () => {
        await rm(prepared.folder, { recursive: true, force: true });
        await this.prepare(source, folder, python, new AbortController().signal);
      },
    });
    const part = (name: string | undefined): string | null =>
      name === undefined ? null : join(prepared.folder, name);
    const parts = {
      train: part(spec.data.train),
      search: part(spec.data.search),
      claim: part(spec.data.claim),
      reveal: part(spec.data.reveal?.folder),
    };
    return { ...hosted, parts, manifest: prepared.manifest };
  }

  /**
   * The Python that phases and evaluator of a task share.
   * @throws AssayError PYTHON_UNAVAILABLE where they would not, or where it cannot be shown without what is hidden
   */
  private async python(
    requirements: string | null,
    wishes: PythonWishes,
    signal: AbortSignal,
  ): Promise<Python> {
    const python = await this.alone('python', signal, () =>
      findPython(this.cache, requirements, signal, wishes),
    );
    await requireUsable(this.sandbox, python, this.hidden, signal);
    return python;
  }

  /**
   * Makes sure, once, that servers run the Python of phases and evaluator: where trials are scored, since a root for
   * them takes memory.
   * @throws AssayError PYTHON_UNAVAILABLE
   */
  async requireServers(hosted: HostedTask, signal: AbortSignal): Promise<void> {
    if (hosted.spec.phases.serve === undefined) return;
    return this.servable.join(hosted.digest, signal, (shared) =>
      requireServable(this.sandbox, hosted.python, runtimeOf(hosted), shared),
    );
  }

  /** One process of this host at a time makes such a thing. */
  private async alone<T>(what: string, signal: AbortSignal, make: () => Promise<T>): Promise<T> {
    return new LeasePool(what, 1, join(this.cache, 'locks')).withLease({ slots: 1, signal }, make);
  }

  private async materialise(source: TaskSource): Promise<string> {
    const folder = join(this.home, 'tasks', source.digest);
    const files = await source.files();
    if (await holds(folder, files)) return folder;
    const fresh = `${folder}.${randomUUID()}`;
    await writeFolder(fresh, files);
    await rm(folder, { recursive: true, force: true });
    await moveInto(fresh, folder);
    return folder;
  }

  /** Runs the task's own preparation, which is trusted and can continue where it was interrupted. */
  private async prepare(
    source: TaskSource,
    folder: string,
    python: Python,
    signal: AbortSignal,
  ): Promise<{ folder: string; manifest: string }> {
    const { spec, digest, dataSecret } = source;
    const key = sha256(`${digest}\0${dataSecret}`).slice(0, 32);
    const target = join(this.home, 'prepared', key);
    await mkdir(target, { recursive: true });
    // the names in it cannot be guessed; a run with a user of its own has to come through to its own part
    await chmod(join(this.home, 'prepared'), 0o711);
    const manifest = join(target, MANIFEST);
    const env = {
      ...prepareEnvironment(python),
      ...recipeEnvironment(spec),
      ...definedFields({ ASSAY_MIRROR: mirrorFolder() }),
      PYTHONPATH: kitFolder(folder),
      ASSAY_DOWNLOADS: join(tasksHome(), 'downloads'),
      ASSAY_OUTPUT: target,
      ASSAY_DATA_SECRET: dataSecret,
    };
    const made = await this.alone('prepare', signal, async () => {
      if (await exists(manifest)) return null;
      await this.runPreparation(spec, { python, folder, env }, `${target}.progress`, signal);
      try {
        return await checkPrepared(target, spec, true);
      } catch (error) {
        // with a manifest in it the folder would count as prepared, for others that wait as well
        await rm(manifest, { recursive: true, force: true });
        throw error;
      }
    });
    return { folder: target, manifest: made ?? (await checkPrepared(target, spec, false)) };
  }

  /** @throws AssayError PREPARE_FAILED with the end of its log, without what is secret in its environment */
  private async runPreparation(
    { name, data }: Task,
    { python, folder, env }: { python: Python; folder: string; env: Record<string, string> },
    progress: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { limitS, tell } = this.preparing;
    const program = data?.prepare ?? 'prepare.py';
    const argv = [python.executable, join(folder, program)];
    const run = (more: Record<string, string>) =>
      runTrusted(argv, { cwd: folder, env: { ...env, ...more }, timeoutS: limitS, signal });
    const { ending, log } = await (tell === null
      ? run({})
      : withProgress(progress, tell, () => run({ ASSAY_PROGRESS: progress })));
    signal.throwIfAborted();
    if (endedWell({ ending })) return;
    const shown = withoutPasswords(env, withoutSecret(env['ASSAY_DATA_SECRET'] ?? '', log));
    throw new AssayError('PREPARE_FAILED', `${program} of "${name}" ${describeEnding(ending)}`, {
      detail: shown.trimEnd().slice(-MOST_TOLD),
    });
  }
}

/**
 * Makes sure of prepared data; returns the digest of its manifest.
 * @throws AssayError DATA_INVALID where it is `fresh`, else DATA_MISMATCH
 */
async function checkPrepared(folder: string, spec: Task, fresh: boolean): Promise<string> {
  const manifest = await checkManifest({ folder, task: spec.name, fresh });
  await requireParts(folder, spec, fresh);
  await closeHeldOut(folder, spec.data);
  return manifest;
}

/** A preparation downloads as its person does: by their proxies and certificates, with caches and logins of their home. */
function prepareEnvironment({ env }: Python): Record<string, string> {
  const { HOME } = process.env;
  return { ...networkVariables(process.env), ...(HOME === undefined ? {} : { HOME }), ...env };
}

/** @throws AssayError DATA_INVALID, or DATA_MISMATCH, when a part that task.yaml names is no folder of the data */
async function requireParts(target: string, { name, data }: Task, fresh: boolean): Promise<void> {
  const code = fresh ? 'DATA_INVALID' : 'DATA_MISMATCH';
  for (const part of [data?.train, data?.search, data?.claim, data?.reveal?.folder]) {
    if (part === undefined) continue;
    const found = await stat(join(target, part)).catch(() => null);
    if (found?.isDirectory() !== true)
      throw new AssayError(
        code,
        `the prepared data of "${name}" has no folder ${part}, which task.yaml names`,
      );
  }
  const { folder, permute } = data?.reveal ?? {};
  if (folder === undefined || permute === undefined) return;
  const found = await stat(join(target, folder, permute.file)).catch(() => null);
  const size = found?.isFile() === true ? found.size : 0;
  if (size === 0 || size % permute.rows !== 0 || size > LARGEST_PERMUTED)
    throw new AssayError(
      code,
      `${join(folder, permute.file)} of the prepared data of "${name}" has ${size} bytes: to be permuted it has to be a file of ${permute.rows} rows of equal length, and of at most ${LARGEST_PERMUTED} bytes`,
    );
}

/** Parts that training must not see are closed to every user but the worker's. */
async function closeHeldOut(target: string, data: Task['data']): Promise<void> {
  for (const part of [data?.search, data?.claim, data?.reveal?.folder])
    if (part !== undefined && part !== data?.train) await chmod(join(target, part), 0o700);
}

/**
 * Returns true when a folder holds exactly these files: one that a recipe or a person changed is made again.
 */
async function holds(
  folder: string,
  files: readonly { path: string; bytes: Uint8Array }[],
): Promise<boolean> {
  if (!(await exists(folder))) return false;
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  if (found.filter((entry) => !entry.isDirectory()).length !== files.length) return false;
  for (const { path, bytes } of files) {
    const limits = { maxFiles: 1, maxFileBytes: bytes.length, code: 'HOST_FAULT' } as const;
    const held = await readRegular(join(folder, path), path, limits).catch(() => null);
    if (held?.equals(bytes) !== true) return false;
  }
  return true;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Moves a fresh folder into place; if another process was first, its folder stays, and the two are equal. */
async function moveInto(fresh: string, folder: string): Promise<void> {
  try {
    await rename(fresh, folder);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  }
}
