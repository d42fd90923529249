import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { evaluateActivities } from '../../activities/evaluate.js';
import { trainActivities } from '../../activities/train.js';
import { AssayError } from '../../src/domain/errors.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { HostTurn } from '../../src/sandbox/host/host-turn.js';
import type { RunResult } from '../../src/sandbox/run.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { IMAGES } from '../fixtures/tiny.js';
import { openWorld, until, type World } from '../workflows/world.js';

/** Compared by time, in two processes, alone on its host. */
const timed = (yaml: string): string =>
  yaml
    .replace('processes: 3', 'processes: 2')
    .replace('pool: cpu,', 'pool: cpu, host: exclusive,')
    .replace('scoring:', 'gates: [{ name: time, metric: train_ratio, max: 100, known: train }]\nscoring:');

let world: World;
let hosts: RealHosts;
let host: HostContext;
let campaigns = 0;
beforeAll(async () => {
  world = await openWorld();
  const files = await readFolder(IMAGES, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const yaml = timed(files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '');
  await world.lineage.tasks.push(parseTask(yaml, 'task.yaml'), files, 'person');
  hosts = new RealHosts(world.lineage);
});
beforeEach(async () => {
  hosts.runs.length = 0;
  host = await hosts.open('host', MACHINE);
  const run = host.sandbox.run.bind(host.sandbox);
  // a load that a test does not make itself may void no pair
  host.sandbox.run = async (request) => ({ ...(await run(request)), hostSpeed: 1 });
});
afterAll(async () => {
  // no workflow runs here
  await world.stop([/it has no status, its workflow is missing/]);
  await hosts.remove();
});

const as = <R>(attempt: () => Promise<R>): Promise<R> =>
  new MockActivityEnvironment({ taskQueue: 'assay-eval-cpu' }).run(attempt);

/** The start of a campaign of its own, to be measured. */
async function start() {
  campaigns += 1;
  const owner = await runningCampaign(world, `processes-${campaigns}`, { task: 'images' });
  return { owner, number: 0, index: 0, purpose: 'search' } as const;
}

/** Measurement of the start, as it is stored. */
async function measured(owner: string): Promise<ReplicateDocument> {
  const { replicates } = await world.lineage.trials.require(owner, 0);
  const [only] = await world.lineage.replicates.many(replicates);
  if (only === undefined) throw new Error('the start has no measurement');
  return only;
}

/** Runs of trainings, by the last part of their ids. */
const ran = (): string[] => hosts.runs.flatMap((id) => /\/((?:train|control)\S*)$/.exec(id)?.[1] ?? []);

/** Changes the results of runs whose id ends like this. */
function changing(change: (phase: string, result: RunResult) => RunResult): void {
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = async (request) => change(request.id.split('/').at(-1) ?? '', await run(request));
}

it('measures each process beside the start, in an order by lot, and scores them all', async () => {
  const of = await start();
  const { next } = await as(() => trainActivities(host).train(of));
  expect(next).toBe('evaluate');
  const { trained, _id: replicate } = await measured(of.owner);
  const runs = trained?.runs ?? [];
  expect(runs.map(({ phase, process }) => [phase, process])).toEqual([
    ['train', 0],
    ['train', 1],
  ]);
  const order = ran();
  for (const { process, pair, startMs, wallMs, warmupMs } of runs) {
    const first = order.indexOf(`control-${process}`) < order.indexOf(`train-${process}`);
    expect(pair?.first).toBe(first ? 'start' : 'candidate');
    expect([startMs, wallMs, warmupMs].every((ms) => (ms ?? 0) > 0)).toBe(true);
    expect(pair).toMatchObject({ others: 0, startOthers: 0 });
  }
  // ABBA, or BAAB
  expect(
    order
      .map((id) => id.replace(/-\d$/, ''))
      .slice(0, 2)
      .reverse(),
  ).toEqual(order.map((id) => id.replace(/-\d$/, '')).slice(2));
  const logs = runs.map(({ wallMs, startMs }) => Math.log(wallMs / (startMs ?? NaN)));
  const mean = logs.reduce((sum, log) => sum + log, 0) / 2;
  expect(trained?.metrics['train_ratio']).toBeCloseTo(Math.exp(mean), 9);
  const error = Math.abs((logs[0] ?? 0) - (logs[1] ?? 0)) / 2;
  expect(trained?.standardErrors?.['train_ratio']).toBeCloseTo(Math.exp(mean) * error, 9);
  expect(trained?.artifact?.files.map(({ path }) => path)).toEqual(['0/predictions.u8', '1/predictions.u8']);

  await as(() => evaluateActivities(host).evaluate({ ...of, replicate }));
  const { evaluated, processes } = await measured(of.owner);
  expect(evaluated?.failure).toBeNull();
  expect(evaluated?.metrics['accuracy']).toBeGreaterThan(0.85);
  expect(evaluated?.metrics['seconds']).toBeCloseTo(trained?.metrics['train_s'] ?? NaN, 9);
  expect(processes).toEqual([]);
});

it('does not train a process again that an attempt before it has finished', async () => {
  const of = await start();
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = (request) =>
    request.id.endsWith('/train-1') ? Promise.reject(new AssayError('HOST_FAULT', 'gone')) : run(request);
  await expect(as(() => trainActivities(host).train(of))).rejects.toMatchObject({ code: 'HOST_FAULT' });
  const kept = (await measured(of.owner)).processes ?? [];
  expect(kept.map(({ process }) => process)).toEqual([0]);
  hosts.runs.length = 0;
  host.sandbox.run = run;
  expect((await as(() => trainActivities(host).train(of))).next).toBe('evaluate');
  expect(ran().sort()).toEqual(['control-1', 'train-1']);
  const { trained } = await measured(of.owner);
  expect(trained?.runs.map(({ process, wallMs }) => [process, wallMs])[0]).toEqual([0, kept[0]?.run.wallMs]);
});

it('voids a pair that was measured under different loads, and measures it again', async () => {
  const of = await start();
  changing((phase, result) => ({ ...result, hostSpeed: phase === 'control-1' ? 0.5 : 1 }));
  await expect(as(() => trainActivities(host).train(of))).rejects.toMatchObject({
    code: 'LOAD_CHANGED',
    message: expect.stringMatching(/cannot be compared: the host went at 0\.50 .* for the start/) as unknown,
  });
  const { faults, trained } = await measured(of.owner);
  expect(faults.map(({ code, what }) => [code, what])).toEqual([['LOAD_CHANGED', 'train']]);
  expect(trained).toBeNull();
  hosts.runs.length = 0;
  changing((_, result) => ({ ...result, hostSpeed: 1 }));
  expect((await as(() => trainActivities(host).train(of))).next).toBe('evaluate');
  expect(ran().sort()).toEqual(['control-1', 'train-1']);
});

it('waits until nothing else of assay runs on its host, and keeps off what comes later', async () => {
  const of = await start();
  const { signal } = new AbortController();
  // as another worker of this host takes its turns
  const turn = new HostTurn(join(host.host.work, '../turn'));
  const beside = (doing: string, fn: () => Promise<unknown>) =>
    turn.beside({ signal, tell: () => undefined, doing }, fn);
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  const earlier = beside('other work', () => left);
  const later: Promise<unknown>[] = [];
  let ended = 0;
  changing((phase, result) => {
    if (!/^(train|control)/.test(phase)) return result;
    // work that comes while it trains
    if (ended === 0) later.push(beside('later work', () => Promise.resolve(ended)));
    ended += 1;
    return result;
  });
  const training = as(() => trainActivities(host).train(of));
  await until('the training to have its lease', async () =>
    (await host.leases.freeSlots()) === 0 ? true : null,
  );
  expect(ran()).toEqual([]);
  leave();
  await earlier;
  expect((await training).next).toBe('evaluate');
  expect(await Promise.all(later)).toEqual([4]);
});
