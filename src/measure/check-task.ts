import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { sha256, treeDigest } from '../domain/digest.js';
import { folderWarnings, measuredWarnings } from '../domain/task/task-warnings.js';
import { meanMissFailure } from '../domain/trial/miss-failure.js';
import type { Failure } from '../domain/trial/outcome.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import { HostTurn } from '../sandbox/host/host-turn.js';
import { UNSIZED } from '../devices/admitted.js';
import { openDevices } from '../devices/open-devices.js';
import { MEASURED_WORK } from '../domain/devices/host-class.js';
import { leaseSize, preflightGpus } from '../domain/task/device-needs.js';
import { thisMachine } from '../sandbox/host/machine.js';
import { LeasePool } from '../sandbox/host/lease.js';
import { openWorkerFolder, sweepDeadWorkers } from '../sandbox/host/worker-folders.js';
import { openSandbox } from '../sandbox/sandbox.js';
import type { FolderFile } from '../tasks/folder.js';
import { TaskHost, type HostedTask } from '../tasks/host.js';
import { recipeFiles, type LoadedTask } from '../tasks/load.js';
import { neededByRuns } from '../tasks/needed-by-runs.js';
import { tamperDetectingSandbox } from '../tasks/tamper-detecting-sandbox.js';
import { TamperDetection } from '../tasks/tamper-detection.js';
import type { RunHost } from './host-context.js';
import { requireDevices } from './load-trial.js';
import { onDevices, onLease } from './on-lease.js';
import { removeRunFolders } from './phases/run-folders.js';
import { preflight } from './preflight.js';
import { tryStart, type StartRun } from './try-start.js';

/** Where and how a task is checked. */
export interface CheckSettings {
  /** Folder of this clone, in which a folder of the check's own is made and removed. */
  home: string;
  /** Folder shared between clones for Python environments. */
  cache: string;
  /** Slots of this host, as many as its workers have. */
  slots: number;
  signal: AbortSignal;
  /** Called with what is done now. */
  tell: (doing: string) => void;
}

/** Result of a check; times are seconds. */
export interface CheckedTask {
  digest: string;
  files: number;
  /** Isolation tier that recipes run at here. */
  tier: string;
  python: string;
  /** Time until the task could run: its data, and its Python where it has one of its own. */
  preparedS: number;
  /** Time of check, smoke and rehearsal. */
  preflightS: number;
  /** Measurements of the start, each under another seed; none when its preflight failed. */
  runs: StartRun[];
  /** First failure of the start; null when all went well. */
  failure: Failure | null;
  warnings: string[];
}

const SEEDS = [1, 2];

/**
 * Prepares a task here and measures its start from end to end under two seeds, as a campaign would; nothing of it stays.
 * @throws AssayError for what is not the start's fault
 */
export async function checkTask(loaded: LoadedTask, settings: CheckSettings): Promise<CheckedTask> {
  const context = await openRunHost(loaded, settings);
  try {
    context.leases.requireRoom(leaseSize(loaded.spec.resources));
    for (const work of MEASURED_WORK) requireDevices(loaded.spec, work, context);
    return await checkedOn(context, loaded, settings);
  } finally {
    await removeRunFolders({ folder: context.host.work });
  }
}

async function checkedOn(
  context: RunHost,
  { spec, files }: LoadedTask,
  settings: CheckSettings,
): Promise<CheckedTask> {
  const { signal, tell } = settings;
  const stored = files.map(storedAs);
  const source = {
    spec,
    digest: treeDigest(stored),
    dataSecret: randomBytes(32).toString('hex'),
    files: () => Promise.resolve(files),
  };
  tell(spec.data === undefined ? 'preparing its Python' : 'preparing its data');
  const [hosted, preparedS] = await timed(() => context.tasks.host(source, signal));
  const beside: Turn = (doing, run) => context.turn.beside({ signal, tell, doing }, run);
  const alone: Turn = (doing, run) => context.turn.alone({ signal, tell, doing }, run);
  const trains = spec.resources.host === 'exclusive' ? alone : beside;
  const snapshot = treeDigest(recipeFiles(spec, stored));
  const checking = () =>
    onDevices(context, { gpus: preflightGpus(spec), what: 'the check', signal }, (on) =>
      beside('checking its start', () => preflight(on, hosted, snapshot, signal)),
    );
  const [checked, preflightS] = await timed(checking);
  const { dataSecret: secret } = source;
  const { runs, failure } =
    checked.failure === null
      ? await measuredTwice(context, hosted, { snapshot, secret, trains }, settings)
      : { runs: [], failure: checked.failure };
  const texts = recipeFiles(spec, files).map(({ path, bytes }) => ({ path, text: bytes.toString('utf8') }));
  return {
    digest: source.digest,
    files: files.length,
    tier: context.sandbox.isolation.tier,
    python: `${hosted.python.version} (${hosted.python.executable})`,
    preparedS,
    preflightS,
    runs,
    failure,
    warnings: [...folderWarnings(spec, texts), ...(failure === null ? measuredWarnings(spec, runs) : [])],
  };
}

/** Takes a turn on the host for what is described. */
type Turn = <T>(doing: string, run: () => Promise<T>) => Promise<T>;

/** Measures the start under each seed, on a lease like that of a campaign's trials; the first failure ends it. */
async function measuredTwice(
  context: RunHost,
  hosted: HostedTask,
  { snapshot, secret, trains }: { snapshot: string; secret: string; trains: Turn },
  { signal, tell }: CheckSettings,
): Promise<Pick<CheckedTask, 'runs' | 'failure'>> {
  const { resources } = hosted.spec;
  const runs: StartRun[] = [];
  for (const [at, seed] of SEEDS.entries()) {
    const doing = `measuring its start, ${at + 1} of ${SEEDS.length}`;
    const { slots, gpus } = resources;
    const run = await onLease(context, { slots, gpus, what: doing, signal, onWait: tell }, (on) =>
      trains(doing, () => tryStart(on, hosted, { snapshot, seed, secret }, signal)),
    );
    runs.push(run);
    if (run.failure !== null) return { runs, failure: run.failure };
  }
  const failure = meanMissFailure(hosted.spec, runs);
  return { runs, failure };
}

const storedAs = ({ path, bytes }: FolderFile): StoredFile => ({
  path,
  sha256: sha256(bytes),
  bytes: bytes.byteLength,
});

/** Opens what runs of the task need here; its files are read from memory. */
async function openRunHost(
  { spec, files }: LoadedTask,
  { home, cache, slots }: CheckSettings,
): Promise<RunHost> {
  const work = join(home, 'work');
  await sweepDeadWorkers(work);
  const own = await openWorkerFolder(work);
  const sandbox = await openSandbox({ needed: () => neededByRuns(own.folder, cache), cache });
  const tampering = new TamperDetection(sandbox.isolation.fs !== 'enforced');
  const folder = join(home, 'leases');
  const devices = await openDevices({ pool: spec.resources.pool, folder, env: process.env });
  const bytes = new Map(recipeFiles(spec, files).map((file) => [file.path, file.bytes]));
  const tree = recipeFiles(spec, files).map(storedAs);
  return {
    lineage: {
      blobs: {
        tree: () => Promise.resolve(tree),
        readFiles: (wanted) =>
          Promise.resolve(wanted.map(({ path }) => ({ path, bytes: bytes.get(path) ?? Buffer.alloc(0) }))),
      },
    },
    host: { name: 'here', machine: thisMachine(), worker: own.name, process: own.name, work: own.folder },
    tasks: new TaskHost(join(own.folder, 'host'), cache, sandbox, tampering),
    sandbox: tamperDetectingSandbox(sandbox, tampering),
    devices,
    leases: devices?.leases ?? new LeasePool(spec.resources.pool, slots, folder),
    granted: null,
    admitted: UNSIZED,
    turn: new HostTurn(join(folder, 'turn')),
  };
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  const done = await work();
  return [done, (performance.now() - began) / 1000];
}
