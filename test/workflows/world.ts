import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client, Connection, ScheduleOverlapPolicy, type WorkflowHandle } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { inject } from 'vitest';
import { cacheFolder } from '../../src/dev/paths.js';
import { textOfReason } from '../../src/domain/campaign/reasons.js';
import type { Clock } from '../../src/domain/campaign/clock.js';
import { systemClock } from '../../src/lineage/clock.js';
import type { CampaignDocument } from '../../src/lineage/documents/campaign.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { loadTask } from '../../src/tasks/load.js';
import { startFleet, type Fleet } from '../../workers/fleet.js';
import { ROLES, type Role } from '../../workers/role-names.js';
import { NOOP, PARTS, TINY } from '../fixtures/tiny.js';
import { endsAudited } from './audited.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A stored campaign with its reasons in the words in which people read them. */
export type CampaignAsRead = Omit<CampaignDocument, 'reason' | 'controlReason'> & {
  reason: string | null;
  controlReason: string | null;
};

/** A namespace, a database and a home folder of one test file, on the real servers of the run. */
export interface World {
  client: Client;
  lineage: Lineage;
  namespace: string;
  env: Record<string, string>;
  /** Under the rule `greedy`, one run a trial, no claim and sessions of any length, unless the input says otherwise. */
  start(name: string, input: Record<string, unknown>): Promise<WorkflowHandle>;
  campaign(name: string): Promise<CampaignAsRead>;
  trials(name: string): Promise<TrialDocument[]>;
  /** `roles`: all of them when left out; ASSAY_HOME and ASSAY_HOST make another host of it. */
  fleet(env?: Record<string, string>, clock?: Clock, roles?: readonly Role[]): Promise<Fleet>;
  /** `roles`: all of them when left out. */
  worker(env?: Record<string, string>, roles?: readonly Role[], flags?: readonly string[]): WorkerProcess;
  /** Audits all campaigns of this world; `expectedFindings` are lines of the audit that the test has caused itself. */
  stop(expectedFindings?: readonly RegExp[]): Promise<void>;
}

/** `assay worker` as its own process, to be killed. */
export interface WorkerProcess {
  pid: number;
  /** Settles when it polls. */
  ready: Promise<void>;
  kill(signal: NodeJS.Signals): Promise<void>;
  isAlive(): boolean;
}

/** Servers of the test itself, for faults that would disturb the other files of the run; names, if worlds share them. */
export interface OwnParts {
  temporalAddress?: string;
  storeUrl?: string;
  namespace?: string;
  database?: string;
}

export async function openWorld(own: OwnParts = {}): Promise<World> {
  const address = own.temporalAddress ?? inject('temporalAddress');
  const { namespace = `world-${randomUUID().slice(0, 8)}` } = own;
  const { database = `assay_${namespace}` } = own;
  const home = await mkdtemp(join(tmpdir(), 'assay-world-'));
  // as a home that a command makes: where it is closed, a worker of root cannot hold tier D
  await chmod(home, 0o755);
  const connection = await Connection.connect({ address });
  await openNamespace(connection, namespace);
  const client = new Client({ connection, namespace, identity: 'test' });
  await holdSchedule(client);
  const store = { url: own.storeUrl ?? inject('storeUrl'), database };
  const lineage = await openLineage(store);
  for (const folder of [TINY, NOOP, PARTS]) {
    const { spec, files } = await loadTask(folder);
    await lineage.tasks.push(spec, files, 'person');
  }
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    ASSAY_MONGODB_URL: store.url,
    ASSAY_MONGODB_DATABASE: database,
    ASSAY_HOME: home,
  };
  const fleets: Fleet[] = [];
  const workers: WorkerProcess[] = [];
  return {
    client,
    lineage,
    namespace,
    env,
    start: (name, input) =>
      client.workflow.start('campaign', {
        taskQueue: 'assay',
        workflowId: name,
        args: [{ rule: 'greedy', claim: { runs: 0 }, sessionTrials: 1000, ...input }],
      }),
    campaign: async (name) => {
      const { reason, controlReason, ...others } = await lineage.campaigns.byName(name);
      return { ...others, reason: textOfReason(reason), controlReason: textOfReason(controlReason) };
    },
    trials: async (name) => {
      const { owner } = await lineage.campaigns.byName(name);
      return (await lineage.trials.latest(owner, 1000)).filter((trial) => trial.number > 0).reverse();
    },
    fleet: async (more = {}, clock = systemClock, roles = ROLES) => {
      const settings = {
        temporal: { address, namespace },
        store,
        home: more['ASSAY_HOME'] ?? home,
        cache: cacheFolder(),
        pool: 'cpu',
        slots: 1,
        clock,
      };
      const fleet = await startFleet(roles, {
        ...settings,
        env: { ...process.env, ANTHROPIC_API_KEY: '', ASSAY_HOST: 'test-host', ...more },
      });
      fleets.push(fleet);
      return fleet;
    },
    worker: (more = {}, roles = [], flags = []) => {
      const worker = spawnWorker({ ...env, ...more }, [...roles, ...flags]);
      workers.push(worker);
      return worker;
    },
    stop: async (expectedFindings = []) => {
      for (const worker of workers) await worker.kill('SIGKILL');
      for (const fleet of fleets) await fleet.stop();
      try {
        await endsAudited({ lineage, client, temporal: { address, namespace }, home }, expectedFindings);
      } finally {
        await lineage.close();
        await connection.close();
        await rm(home, { recursive: true, force: true });
      }
    },
  };
}

/** A new namespace is usable once every part of the server knows it. */
async function openNamespace(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  for (let tries = 0; tries < 100; tries += 1) {
    const found = await connection.workflowService
      .listWorkflowExecutions({ namespace, pageSize: 1 })
      .catch(() => null);
    if (found !== null) return;
    await sleep(200);
  }
  throw new Error(`namespace ${namespace} did not come up`);
}

/**
 * Creates the schedule of a fleet, but paused: by the wall clock it would be due in the middle of a test. A trigger
 * overrides the pause, both that of a starting fleet and that of a test.
 */
async function holdSchedule(client: Client): Promise<void> {
  await client.schedule.create({
    scheduleId: 'assay-reconcile',
    spec: { intervals: [{ every: '5 minutes' }] },
    action: {
      type: 'startWorkflow',
      workflowType: 'reconcile',
      taskQueue: 'assay',
      workflowId: 'assay-reconcile',
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    state: { paused: true },
  });
}

function spawnWorker(env: Record<string, string>, args: readonly string[]): WorkerProcess {
  const child = spawn(process.execPath, [join(ROOT, 'bin/assay.js'), 'worker', ...args], {
    env: { ...process.env, ANTHROPIC_API_KEY: '', ...env },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the worker did not start');
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes('workers:')) resolve();
    });
    void exited.then(() => reject(new Error(`the worker ended: ${said}`)));
  });
  ready.catch(() => undefined);
  return {
    pid,
    ready,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    kill: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) process.kill(pid, signal);
      await exited;
    },
  };
}

/** Returns true when a trial is being trained, or waits for nothing but the start of its process. */
export const trains = (campaign: Pick<CampaignDocument, 'active'> | null, number: number): boolean =>
  Object.values(campaign?.active ?? {}).some(({ what, trial }) => what === 'train' && trial === number);

/** Asks again until the answer is not null. */
export async function until<T>(what: string, ask: () => Promise<T | null>, seconds = 90): Promise<T> {
  for (let tries = 0; tries < seconds * 5; tries += 1) {
    const answer = await ask();
    if (answer !== null) return answer;
    await sleep(200);
  }
  throw new Error(`not seen within ${seconds} s: ${what}`);
}
