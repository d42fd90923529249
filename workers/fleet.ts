import { cpus, hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@temporalio/client';
import { NativeConnection, type Worker } from '@temporalio/worker';
import { SEARCH_ATTRIBUTES } from '../src/domain/campaign/campaign.js';
import type { Clock } from '../src/domain/campaign/clock.js';
import { sha256 } from '../src/domain/digest.js';
import { AssayError, messageOf } from '../src/domain/errors.js';
import { systemClock } from '../src/lineage/clock.js';
import { openLineage, type Lineage } from '../src/lineage/lineage.js';
import { modelEndpoints, settingsFrom } from '../src/model/endpoints.js';
import { startOfflineProposer } from '../src/model/offline-proposer.js';
import { OFFLINE_MODEL, pricesFrom } from '../src/model/pricing.js';
import { UNSIZED } from '../src/devices/admitted.js';
import { openDevices } from '../src/devices/open-devices.js';
import { thisMachine } from '../src/sandbox/host/machine.js';
import { LeasePool } from '../src/sandbox/host/lease.js';
import { diskFullSandbox } from '../src/sandbox/host/disk-full-sandbox.js';
import {
  HostHealth,
  roomCheck,
  sandboxCheck,
  wantedBytes,
  writeCheck,
} from '../src/sandbox/host/host-health.js';
import { HostTurn } from '../src/sandbox/host/host-turn.js';
import { requirePromisedTier } from '../src/sandbox/host/promised-tier.js';
import { watchProcess } from '../src/sandbox/process/watchdog.js';
import { openSandbox } from '../src/sandbox/sandbox.js';
import { openWorkerFolder, sweepDeadWorkers } from '../src/sandbox/host/worker-folders.js';
import { TamperDetection } from '../src/tasks/tamper-detection.js';
import { neededByRuns } from '../src/tasks/needed-by-runs.js';
import { TaskHost } from '../src/tasks/host.js';
import { tamperDetectingSandbox } from '../src/tasks/tamper-detecting-sandbox.js';
import type { OrchestratorContext } from '../activities/context.js';
import { unsized } from '../src/measure/arrive.js';
import type { HostContext } from '../src/measure/host-context.js';
import { openHostStore } from '../src/measure/host-store/open-host-store.js';
import { askedServer, scheduleReconcile } from './reconciling.js';
import { backlogOf } from './backlog.js';
import { DrainNotes } from './drain-notes.js';
import { Gate } from './gate.js';
import { HostWatch } from './host-watch.js';
import { installLogger, logger } from './logging.js';
import { SizeAdmission } from './size-admission.js';
import { keepSweeping } from './sweeping.js';
import type { Role } from './role-names.js';
import {
  evalWorker,
  keptWorkers,
  modelWorker,
  orchestratorWorkers,
  registeredAttributes,
  trainWorkers,
  type HostGuard,
  type WorkerGround,
} from './roles.js';

/** Addresses of the servers, and folders of this host. */
export interface FleetSettings {
  temporal: { address: string; namespace: string };
  store: { url: string; database: string };
  /** Folder of this host: tasks, prepared data, workspaces, leases. */
  home: string;
  /** Folder shared between clones. */
  cache: string;
  pool: string;
  /** Slots that trainings of this host may use at the same time; the other cores check and evaluate. */
  slots: number;
  env: NodeJS.ProcessEnv;
  /** Called with lines that a person has to see; by default they are logged. */
  say?: (line: string) => void;
  /** Default: the clocks of this machine. */
  clock?: Clock;
}

/** Running workers of one process. */
export interface Fleet {
  /**
   * Ends them after letting work in flight continue for a bounded time. Never rejects: failures are those of `ended`.
   */
  stop(): Promise<void>;
  /** Settles when all have ended; rejects when one failed. */
  ended: Promise<void>;
}

/** Those that start processes, and so depend on the health of their host. */
const HOST_ROLES: readonly Role[] = ['trainer', 'evaluator'];

const DEFAULT_MODEL = 'claude-opus-5-5';

/** Starts workers of the given roles in this process. */
export async function startFleet(roles: readonly Role[], settings: FleetSettings): Promise<Fleet> {
  installLogger();
  const started = new Started();
  try {
    await startWorkers(roles, settings, started);
  } catch (error) {
    await started.close();
    throw error;
  }
  return runningFleet(started);
}

/** Everything that the workers of a process use, in the order in which it was started. */
class Started {
  readonly workers: Worker[] = [];
  readonly #closers: (() => Promise<void>)[] = [];

  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Closes all of it, the last first; what fails does not keep the rest open. */
  async close(): Promise<void> {
    // one that never ran keeps the connection, and with it this process, alive
    await Promise.all(this.workers.filter((worker) => worker.getState() === 'INITIALIZED').map(neverRun));
    for (const close of this.#closers.reverse()) await close().catch(() => undefined);
  }
}

/** Ends a worker that was made and never asked for work: only one that runs can be shut down. */
async function neverRun(worker: Worker): Promise<void> {
  const running = worker.run();
  worker.shutdown();
  await running.catch(() => undefined);
}

async function startWorkers(
  roles: readonly Role[],
  settings: FleetSettings,
  started: Started,
): Promise<void> {
  const { workers } = started;
  const connection = await connect(settings.temporal.address);
  started.onClose(() => connection.close());
  const clock = settings.clock ?? systemClock;
  const say = settings.say ?? ((line: string) => logger.error(line));
  const lineage = await openLineage(settings.store, { clock, say, ensureIndexes: true });
  started.onClose(() => lineage.close());
  const prices = await pricesFrom(settings.env);
  const name = settings.env.ASSAY_HOST ?? hostname();
  const ground = { connection, namespace: settings.temporal.namespace, identity: `${name}:${process.pid}` };
  if (roles.includes('orchestrator'))
    workers.push(...(await orchestrators(ground, { lineage, prices, clock }, settings)));
  if (roles.includes('model')) {
    const offline = await startOfflineProposer();
    started.onClose(() => offline.stop());
    workers.push(
      await modelWorker(ground, {
        lineage,
        prices,
        endpoints: modelEndpoints(settingsFrom(settings.env, offline.url)),
      }),
    );
  }
  if (roles.includes('trainer') || roles.includes('evaluator')) {
    const { context, guard } = await hostContext(lineage, settings, name, ground.identity, roles);
    started.onClose(() => guard.watch.stop());
    started.onClose(keepSweeping(join(settings.home, 'work'), context.kept));
    const unwatch = watchProcess();
    started.onClose(() => Promise.resolve().then(unwatch));
    const { pool, slots } = settings;
    let arrive = unsized;
    if (roles.includes('trainer')) {
      const admission = sizeAdmission(ground, context, guard.gate);
      await admission.start();
      started.onClose(() => admission.stop());
      arrive = () => Promise.resolve(admission.arriveHere());
      workers.push(...(await trainWorkers(ground, context, admission, guard)));
    }
    if (roles.includes('evaluator'))
      workers.push(await evalWorker(ground, context, pool, Math.max(1, cpus().length - slots), guard));
    workers.push(...(await keptWorkers(ground, context, guard, { roles, arrive })));
  }
}

function runningFleet(started: Started): Fleet {
  const { workers } = started;
  const shutDown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  // when one fails, the others would only pretend that this process works
  const running = Promise.allSettled(workers.map((worker) => worker.run().finally(shutDown)));
  const ended = running.then(async (ends) => {
    await started.close();
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  });
  ended.catch(() => undefined);
  return {
    ended,
    stop: async () => {
      shutDown();
      await ended.catch(() => undefined);
    },
  };
}

async function connect(address: string): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({ address });
  } catch (error) {
    throw new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `no Temporal server answers at ${address}: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function orchestrators(
  ground: WorkerGround,
  shared: Pick<OrchestratorContext, 'lineage' | 'prices' | 'clock'>,
  settings: FleetSettings,
): Promise<Worker[]> {
  const client = new Client({ connection: ground.connection, namespace: ground.namespace });
  const key = settings.env.ANTHROPIC_API_KEY;
  await scheduleReconcile(client);
  return orchestratorWorkers(ground, {
    ...shared,
    bundledTasks: fileURLToPath(new URL('../tasks', import.meta.url)),
    registeredAttributes: () => registeredAttributes(client, ground.namespace, SEARCH_ATTRIBUTES),
    ...askedServer(client),
    defaultModel:
      settings.env.ASSAY_MODEL ?? (key === undefined || key === '' ? OFFLINE_MODEL : DEFAULT_MODEL),
  });
}

async function hostContext(
  lineage: Lineage,
  settings: FleetSettings,
  name: string,
  worker: string,
  roles: readonly Role[],
): Promise<{ context: HostContext; guard: HostGuard }> {
  const { home, cache, pool, slots } = settings;
  const work = join(home, 'work');
  await sweepDeadWorkers(work);
  const own = await openWorkerFolder(work);
  const needed = (): Promise<string[]> => neededByRuns(own.folder, cache);
  const sandbox = await openSandbox({ needed, cache });
  // who asks for a tier has been told what it is
  if (!settings.env.ASSAY_TIER) await requirePromisedTier(cache, sandbox.isolation.tier, needed);
  const tasks = new TaskHost(home, cache, sandbox, new TamperDetection(sandbox.isolation.fs !== 'enforced'));
  const room = roomCheck(own.folder, () => wantedBytes(tasks.largestDiskBytes, settings.env));
  const leases = join(home, 'leases');
  const devices = await openDevices({ pool, folder: leases, env: settings.env });
  const checks = [
    ...[room, writeCheck(own.folder), sandboxCheck(sandbox, own.folder, own.name)],
    ...(devices === null ? [] : [{ look: () => devices.faultOfDriver() }]),
  ];
  const gate = new Gate();
  const machine = thisMachine();
  const kept = await openHostStore(lineage, { home, host: name, store: settings.store, env: settings.env });
  const { folder: keptId } = kept.place;
  const reporter = {
    host: name,
    pool,
    roles: roles.filter((role) => HOST_ROLES.includes(role)),
    machine,
    devices,
    kept: keptId,
    tier: sandbox.isolation.tier,
  };
  const say = settings.say ?? ((line: string) => logger.error(line));
  const watch = new HostWatch(new HostHealth(checks), gate, lineage.hosts, reporter, say);
  await watch.start();
  const context = {
    lineage,
    host: { name, machine, worker, process: own.name, work: own.folder },
    kept,
    tasks,
    sandbox: tamperDetectingSandbox(diskFullSandbox(sandbox, own.folder, room), tasks.tampering),
    devices,
    leases: devices?.leases ?? new LeasePool(pool, slots, leases),
    granted: null,
    admitted: UNSIZED,
    turn: new HostTurn(join(leases, 'turn')),
  };
  return { context, guard: { gate, watch } };
}

function sizeAdmission(
  { connection, namespace }: WorkerGround,
  { leases, lineage, host }: HostContext,
  gate: Gate,
): SizeAdmission {
  const client = new Client({ connection, namespace });
  const pool = leases.name;
  // workers share the slots that are in one folder
  const sharing = `${host.name}-${sha256(leases.folder).slice(0, 8)}`;
  return new SizeAdmission({
    pool,
    leases,
    gate,
    notes: new DrainNotes(lineage.drains, pool, sharing),
    backlog: (size) => backlogOf(client, namespace, pool, size),
  });
}
