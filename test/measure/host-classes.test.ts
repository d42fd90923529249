import { MockActivityEnvironment } from '@temporalio/testing';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { evaluateActivities } from '../../activities/evaluate.js';
import { prepareActivities } from '../../activities/prepare.js';
import { trainActivities } from '../../activities/train.js';
import { hostClassOf } from '../../src/domain/devices/host-class.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { isCalibratedElsewhere } from '../../src/measure/calibration-turn.js';
import { hostQueue } from '../../src/domain/host-queues.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { hostStore } from '../builders/host-context.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { openWorld, until, type World } from '../workflows/world.js';

let world: World;
let hosts: RealHosts;
beforeAll(async () => {
  world = await openWorld();
  hosts = new RealHosts(world.lineage);
});
afterAll(async () => {
  // no workflow runs here
  await world.stop([/it has no status, its workflow is missing/]);
  await hosts.remove();
});

const as = <R>(attempt: () => Promise<R>, taskQueue = 'assay-eval-cpu'): Promise<R> =>
  new MockActivityEnvironment({ taskQueue }).run(attempt);

/** A host that keeps every artifact where it may evaluate it. */
async function keeping(name: string): Promise<HostContext> {
  const host = await hosts.open(name);
  const kept = await hostStore(join(host.host.work, 'kept'), { host: name, env: { ASSAY_STORED_MB: '0' } });
  const { folder } = kept.place;
  const report = { _id: name, host: name, pool: 'cpu', roles: ['evaluator'], kept: folder, healthy: true };
  const now = { why: null, devices: [], machine: null, since: new Date(), at: new Date() };
  await world.lineage.hosts.report({ ...report, ...now });
  return { ...host, kept };
}

/** A report of a host that trains. */
async function reports({ host: { name, machine } }: HostContext): Promise<void> {
  const report = { host: name, pool: 'cpu', roles: ['trainer'], healthy: true, why: null, machine };
  const more = { devices: [], kept: null, since: new Date(), at: new Date() };
  await world.lineage.hosts.report({ _id: name, ...report, ...more });
}

/** A trial that is accepted, of the tiny recipe with another line. */
async function submitted(owner: string, line: string): Promise<TrialDocument> {
  const { lineage } = world;
  const start = await lineage.trials.require(owner, 0);
  const files = await lineage.blobs.readFiles(await lineage.blobs.tree(start.snapshot));
  const changed = files.map(({ path, bytes }) => {
    const text = Buffer.from(bytes).toString();
    return { path, bytes: Buffer.from(path === 'train.py' ? `${text}\n# ${line}\n` : text) };
  });
  const proposal = {
    ...{ owner, campaign: start.campaign, submitKey: `${owner}/${line}`, diff: start.diff, changes: '' },
    ...{ snapshot: await lineage.blobs.putTree(changed), parent: 0, parentSnapshot: start.snapshot },
    ...{
      hypothesis: line,
      expectedDelta: null,
      domain: null,
      edit: null,
      similar: null,
      twinScope: null,
      role: 'solo',
      lane: line,
      session: null,
      turn: null,
    },
  };
  const answer = await lineage.trials.submit(proposal, { trials: 9, submissions: 9 });
  if (answer.kind !== 'accepted') throw new Error(answer.kind);
  return answer.trial;
}

const freeze = (name: string, more: object = {}) => runningCampaign(world, name, more);

it('makes a campaign belong to the class of its first results, and refuses hosts of another one', async () => {
  const owner = await freeze('classes');
  const of = { owner, number: 0, index: 0, purpose: 'search' } as const;
  const [home, alike, larger] = [
    await hosts.open('home'),
    await keeping('alike'),
    await hosts.open('larger', { ...MACHINE, memoryGib: 64 }),
  ];
  // nothing is known yet, so that whoever looks first decides nothing
  expect(await as(() => prepareActivities(larger).prepare(of))).toEqual({ next: 'train' });
  expect((await world.campaign('classes')).hostClasses).toEqual([]);
  const trained = await as(() => trainActivities(home).train(of));
  if (trained.next !== 'evaluate') throw new Error(trained.next);

  await expect(as(() => trainActivities(larger).train({ ...of, index: 1 }))).rejects.toMatchObject({
    code: 'HOST_CLASS_DIFFERS',
    message: expect.stringMatching(
      /^larger is of host class \S+, and the campaign belongs to \S+, which calibrated it \(memory 64 GiB, not 16 GiB\)$/,
    ) as unknown,
  });
  const again = await as(() => trainActivities(alike).train({ ...of, index: 1 }));
  expect(again.next).toBe('evaluate');

  // who trains and who evaluates may be hosts of different kinds
  const { replicate } = trained;
  expect(await as(() => evaluateActivities(larger).evaluate({ ...of, replicate }))).toEqual({
    next: 'decide',
  });
  if (again.next !== 'evaluate') throw new Error(again.next);
  const second = { ...of, replicate: again.replicate };
  await expect(as(() => evaluateActivities(home).evaluate(second))).rejects.toMatchObject({
    code: 'HOST_CLASS_DIFFERS',
  });
  // nobody else takes it from the queue of one host
  const own = hostQueue('eval', alike.kept.place);
  expect(await as(() => evaluateActivities(alike).evaluate(second), own)).toEqual({ next: 'refused' });
  // nor does a host keep what it may not evaluate
  await as(() => trainActivities(alike).train({ ...of, index: 2 }));
  const { replicates } = await world.lineage.trials.require(owner, 0);
  const places = (await world.lineage.replicates.many(replicates)).map(({ index, trained }) => [
    index,
    trained?.artifact?.onHost?.host ?? null,
  ]);
  expect(places).toEqual([
    [0, null],
    [1, 'alike'],
    [2, null],
  ]);
  const { hostClasses } = await world.campaign('classes');
  expect(hostClasses.map(({ work, is }) => [work, is.memoryGib])).toEqual([
    ['train', 16],
    ['evaluate', 64],
  ]);
  const stored = await world.lineage.replicates.get(replicate);
  expect(stored.hostClass).toBe(hostClasses[0]?.id);
});

it('counts the first class alone where two began with nothing known', async () => {
  const owner = await freeze('at-once');
  const of = { owner, number: 0, index: 0, purpose: 'search' } as const;
  const [one, other] = [await hosts.open('one'), await hosts.open('other', { ...MACHINE, processors: 64 })];
  await as(() => prepareActivities(one).prepare(of));
  // the other one has begun, and ends when a result of the first is there
  let begun: (() => void) | null = null;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const run = other.sandbox.run.bind(other.sandbox);
  other.sandbox.run = async (request) => {
    if (!request.id.endsWith('/train')) return run(request);
    begun?.();
    await until('the first result', async () =>
      (await world.campaign('at-once')).hostClasses.length > 0 ? true : null,
    );
    return run(request);
  };
  const late = as(() => trainActivities(other).train(of));
  const refused = expect(late).rejects.toMatchObject({ code: 'HOST_CLASS_DIFFERS' });
  await hasBegun;
  expect(await as(() => trainActivities(one).train(of))).toMatchObject({ next: 'evaluate' });
  await refused;
  const [winner] = (await world.campaign('at-once')).hostClasses;
  const start = await world.lineage.trials.require(owner, 0);
  const replicates = await world.lineage.replicates.many(start.replicates);
  expect(replicates.filter(({ trained }) => trained !== null).map(({ hostClass }) => hostClass)).toEqual([
    winner?.id,
  ]);
});

it('runs the start for a class on its hosts alone, and goes on where none is left', async () => {
  const owner = await freeze('any', { hostClasses: 'any' });
  const home = await hosts.open('home');
  const larger = await hosts.open('larger', { ...MACHINE, memoryGib: 64 });
  const of = { owner, number: 0, index: 0, purpose: 'search' } as const;
  await as(() => prepareActivities(home).prepare(of));
  expect(await as(() => trainActivities(home).train(of))).toMatchObject({ next: 'evaluate' });
  await expect(as(() => trainActivities(larger).train({ ...of, index: 1 }))).rejects.toMatchObject({
    code: 'HOST_CLASS_DIFFERS',
  });

  const { machine } = larger.host;
  const hostClass = hostClassOf(machine, 'Python', []);
  const control = { ...of, purpose: 'control', hostClass } as const;
  expect(await as(() => trainActivities(home).train(control))).toEqual({ next: 'decide' });
  await reports(larger);
  await expect(as(() => trainActivities(home).train(control))).rejects.toMatchObject({
    code: 'HOST_CLASS_DIFFERS',
    message: expect.stringContaining(`the start is to be measured on ${hostClass.id}`) as unknown,
  });
  const { replicates } = await world.lineage.trials.require(owner, 0);
  expect(replicates).toHaveLength(1);
});

it('lets one trial at a time measure the start for a class, another when that is parked, and leaves the work to others where it was given up', async () => {
  const owner = await freeze('turns', { hostClasses: 'any' });
  const { lineage } = world;
  const home = await hosts.open('home');
  const larger = await hosts.open('larger', { ...MACHINE, memoryGib: 64 });
  const start = { owner, number: 0, index: 0, purpose: 'search' } as const;
  await as(() => prepareActivities(home).prepare(start));
  const trained = await as(() => trainActivities(home).train(start));
  if (trained.next !== 'evaluate') throw new Error(trained.next);
  await as(() => evaluateActivities(home).evaluate({ ...start, replicate: trained.replicate }));
  const { number: first } = await submitted(owner, 'X = 2.0');
  const { number: second } = await submitted(owner, 'X = 2.5');
  const train = (number: number, more: object = {}) =>
    as(() => trainActivities(larger).train({ ...start, number, ...more }));

  const asked = await train(first);
  if (asked.next !== 'calibrate') throw new Error(asked.next);
  const { hostClass } = asked;
  expect(await train(second)).toEqual({ next: 'calibrating', hostClass });
  // its answer may be lost
  expect(await train(first)).toEqual(asked);
  const waits = { owner, hostClass: hostClass.id, trial: second };
  expect(await isCalibratedElsewhere(lineage, waits)).toBe(true);
  await lineage.trials.park(owner, first, 'three workers were lost');
  expect(await isCalibratedElsewhere(lineage, waits)).toBe(false);
  expect(await train(second)).toEqual(asked);
  expect(await isCalibratedElsewhere(lineage, { ...waits, trial: first })).toBe(true);
  const givenUp = [hostClass.id];
  await expect(train(second, { givenUp })).rejects.toMatchObject({
    code: 'HOST_CLASS_DIFFERS',
    message: expect.stringMatching(/^t00002 could not get the start measured on host class /) as unknown,
  });
  expect(await train(first)).toEqual(asked);
});

it('gives up a run of the start that no host takes, though hosts that report look like those of the class', async () => {
  const owner = await freeze('refused', { hostClasses: 'any' });
  const [home, larger] = [
    await hosts.open('home'),
    await hosts.open('larger', { ...MACHINE, memoryGib: 64 }),
  ];
  const start = { owner, number: 0, index: 0, purpose: 'search' } as const;
  await as(() => prepareActivities(home).prepare(start));
  await as(() => trainActivities(home).train(start));
  const hostClass = hostClassOf(larger.host.machine, 'a Python that no host has', []);
  const control = () => as(() => trainActivities(home).train({ ...start, purpose: 'control', hostClass }));
  await reports(larger);
  const { calibrations } = world.lineage;
  const of = { owner, hostClass: hostClass.id };
  await calibrations.begin({ ...of, trial: 1 });
  await expect(control()).rejects.toMatchObject({ code: 'HOST_CLASS_DIFFERS' });
  while ((await calibrations.refuse(of)) < 200);
  expect(await control()).toEqual({ next: 'decide' });
});
