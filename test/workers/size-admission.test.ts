import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { sizeClass, trainQueue } from '../../src/domain/devices/size-classes.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { LeasePool } from '../../src/sandbox/host/lease.js';
import { backlogOf } from '../../workers/backlog.js';
import { DrainNotes } from '../../workers/drain-notes.js';
import { failureInterceptor } from '../../workers/failures.js';
import { Gate } from '../../workers/gate.js';
import { installLogger } from '../../workers/logging.js';
import { SizeAdmission } from '../../workers/size-admission.js';
import { sizedSlots } from '../../workers/sized-slots.js';
import { until } from '../workflows/world.js';
import { holdWorkflow, type Hold } from './hold-workflow.js';

installLogger();
const SLOTS = 8;
let connection: Connection;
let native: NativeConnection;
let lineage: Lineage;
let home: string;
let workflows: Worker;
let running: Promise<void>;
let client: Client;
beforeAll(async () => {
  const address = inject('temporalAddress');
  connection = await Connection.connect({ address });
  native = await NativeConnection.connect({ address });
  client = new Client({ connection });
  lineage = await openLineage({ url: inject('storeUrl'), database: `sizes_${process.pid}` });
  home = await mkdtemp(join(tmpdir(), 'assay-sizes-'));
  workflows = await Worker.create({
    connection: native,
    taskQueue: 'sizes',
    workflowsPath: fileURLToPath(new URL('hold-workflow.ts', import.meta.url)),
  });
  running = workflows.run();
});
afterAll(async () => {
  workflows.shutdown();
  await running;
  await lineage.close();
  await connection.close();
  await native.close();
  await rm(home, { recursive: true, force: true });
});

/** What was held on which host, in the order in which it began. */
interface Held {
  host: string;
  slots: number;
}

interface Host {
  admission: SizeAdmission;
  stop(): Promise<void>;
}

/** A host whose trainings hold their slots and do nothing else. */
async function startHost(pool: string, host: string, held: Held[]): Promise<Host> {
  const leases = new LeasePool(pool, SLOTS, join(home, host));
  const gate = new Gate();
  const admission = new SizeAdmission({
    pool,
    leases,
    gate,
    notes: new DrainNotes(lineage.drains, pool, host),
    backlog: (size) => backlogOf(client, 'default', pool, size),
  });
  await admission.start();
  const train = (size: number | null) => async (of: Hold) => {
    const admitted = await admission.arrive(size);
    const signal = Context.current().cancellationSignal;
    try {
      admitted.wants(of.slots);
      await leases.withLease({ slots: of.slots, signal, atOnce: admitted.atOnce }, async () => {
        admitted.leased();
        held.push({ host, slots: of.slots });
        await (of.seconds === null ? told : sleep(of.seconds * 1000));
      });
    } finally {
      admitted.released();
      admitted.ended();
    }
  };
  const own = await NativeConnection.connect({ address: inject('temporalAddress') });
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  const workers = await Promise.all(
    [...admission.sizes, null].map((size) =>
      Worker.create({
        connection: own,
        taskQueue: trainQueue(pool, size),
        activities: { train: train(size) },
        interceptors: { activity: [failureInterceptor] },
        activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 1 },
        tuner: {
          activityTaskSlotSupplier: sizedSlots(gate, admission.asking(size)),
          workflowTaskSlotSupplier: none,
          localActivityTaskSlotSupplier: none,
          nexusTaskSlotSupplier: none,
        },
      }),
    ),
  );
  const ended = Promise.all(workers.map((worker) => worker.run()));
  return {
    admission,
    stop: async () => {
      for (const worker of workers) worker.shutdown();
      await ended;
      await admission.stop();
      await own.close();
    },
  };
}

/** Ends what is held until the test says. */
let tell: () => void = () => undefined;
let told = Promise.resolve();

let asked = 0;
/** Asks a pool for slots; settles when they were held. */
function ask(pool: string, slots: number, seconds: number | null, sized = true): Promise<void> {
  asked += 1;
  const queue = trainQueue(pool, sized ? sizeClass(slots) : null);
  const args: [Hold] = [{ queue, slots, seconds }];
  return client.workflow.execute(holdWorkflow, { taskQueue: 'sizes', workflowId: `${pool}-${asked}`, args });
}

it('judges by the work that would come: the oldest of the best priority, however long others wait', async () => {
  const queue = trainQueue('urgent', 1);
  const start = (priority: number) =>
    client.workflow.start(holdWorkflow, {
      taskQueue: 'sizes',
      workflowId: `urgent-${priority}`,
      args: [{ queue, slots: 1, seconds: 0, priority }],
    });
  const waiting = (count: number) =>
    until(`${count} in the queue`, async () => {
      const backlog = await backlogOf(client, 'default', 'urgent', 1);
      return backlog.count === count && backlog.oldestS > 0 ? backlog : null;
    });
  const later = await start(5);
  await until('one that has waited', async () => ((await waiting(1)).oldestS > 2 ? true : null));
  const sinceMs = performance.now();
  const first = await start(1);
  const { oldestS } = await waiting(2);
  // younger than the other can be
  expect(oldestS).toBeLessThan((performance.now() - sinceMs) / 1000 + 1);
  await Promise.all([later, first].map((each) => each.terminate()));
});

it('gives a request of eight its turn while small ones keep coming', async () => {
  const held: Held[] = [];
  const hosts = await Promise.all(['stream-a', 'stream-b'].map((name) => startHost('stream', name, held)));
  let served = false;
  const lane = async (): Promise<void> => {
    while (!served) await ask('stream', 1, 1.5);
  };
  const lanes = Array.from({ length: 20 }, lane);
  await until('small ones on both hosts', () =>
    Promise.resolve(new Set(held.map(({ host }) => host)).size === 2 && held.length >= 16 ? true : null),
  );
  await ask('stream', 8, 1);
  const at = held.findIndex(({ slots }) => slots === 8);
  served = true;
  await Promise.all(lanes);
  // the other host went on meanwhile
  expect(held.slice(at + 1).length).toBeGreaterThan(0);
  for (const host of hosts) await host.stop();
});

it('lets no request wait on a full host while another is idle, and gives back what does not fit', async () => {
  const held: Held[] = [];
  const hosts = await Promise.all(['idle-a', 'idle-b'].map((name) => startHost('idle', name, held)));
  for (let round = 1; round <= 3; round += 1) {
    // both hosts have asked for each size long ago: a request may come to the one that it does not fit any more
    told = new Promise((resolve) => (tell = resolve));
    const long = ask('idle', 5, null);
    await until('the long one', () => Promise.resolve(held.length === 3 * round - 2 ? true : null));
    const full = held.at(-1)?.host;
    const others = [ask('idle', 4, 0.2)];
    await until('one beside it', () => Promise.resolve(held.length === 3 * round - 1 ? true : null));
    others.push(ask('idle', 8, 0.2));
    await Promise.all(others);
    expect(held.slice(-2).map(({ host }) => host)).not.toContain(full);
    tell();
    await long;
  }
  for (const host of hosts) await host.stop();
});

it('serves what an earlier assay has scheduled, which waits on the host that took it', async () => {
  const held: Held[] = [];
  const host = await startHost('before', 'before-a', held);
  const small = ask('before', 1, 1);
  await until('the small one', () => Promise.resolve(held.length === 1 ? true : null));
  await Promise.all([small, ask('before', 8, 0.2, false)]);
  expect(held.map(({ slots }) => slots)).toEqual([1, 8]);
  await host.stop();
});
