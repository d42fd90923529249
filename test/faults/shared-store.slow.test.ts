import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { z } from 'zod';
import { temporalNamespace } from '../../workers/temporal-namespace.js';
import { KINDS } from '../../src/lineage/document-kinds.js';
import { assay, assayJson } from '../workflows/command-lines.js';
import { auditOf, violationsOf } from '../workflows/audited.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { openOwnTemporal, type OwnServer } from './own-servers.js';

vi.setConfig({ testTimeout: 240_000 });

/** Two namespaces of one server, and another server that has the first one's name; the store is one. */
const name = `shared-${randomUUID().slice(0, 8)}`;
let other: OwnServer;
let first: World;
let second: World;
let third: World;
let store: MongoClient;
beforeAll(async () => {
  other = await openOwnTemporal();
  const database = `assay_${name}`;
  first = await openWorld({ namespace: name, database });
  second = await openWorld({ namespace: `${name}-b`, database });
  third = await openWorld({ namespace: name, database, temporalAddress: other.address });
  store = await MongoClient.connect(inject('storeUrl'));
  for (const [world, campaign] of [
    [first, 'one'],
    [second, 'two'],
    [third, 'three'],
  ] as const) {
    const fleet = await world.fleet({}, undefined, ['orchestrator']);
    await world.start(campaign, { task: 'tiny', specialists: ['solo'] });
    await until(`${campaign} to wait for an evaluator`, async () => {
      const stored = await world.lineage.campaigns.find(campaign);
      return stored !== null && (await world.lineage.trials.get(stored.owner, 0)) !== null ? true : null;
    });
    await fleet.stop();
  }
});
afterAll(async () => {
  await second.stop();
  await third.stop();
  await first.stop();
  await store.close();
  await other.stop();
});

const raw = (kind: 'campaigns' | 'blobs' | 'snapshots') =>
  store.db(`assay_${name}`).collection<{ _id: string; namespaceId?: string }>(KINDS[kind].collection);

/** What a campaign is and what runs of it, on its own server. */
async function seen(world: World, campaign: string): Promise<unknown> {
  const stored = await world.campaign(campaign);
  const { status } = await world.client.workflow.getHandle(campaign).describe();
  const open = await world.lineage.trials.open(stored.owner, 10);
  return [stored.state, stored.control, stored.reason, open.length, status.name];
}
const others = async (): Promise<unknown> => [await seen(second, 'two'), await seen(third, 'three')];
const RUNNING = ['calibrating', 'running', null, 1, 'RUNNING'];

const reconciled = z.object({
  findings: z.array(z.object({ campaign: z.string(), key: z.string(), did: z.string() })),
  elsewhere: z.array(z.object({ campaign: z.string(), why: z.string() })),
});
const reconcile = async (world: World, ...args: string[]) =>
  reconciled.parse(await assayJson(world, 'reconcile', ...args));

it('reconcile settles nothing that another namespace or server runs, and nothing whose server is not known', async () => {
  expect(await others()).toEqual([RUNNING, RUNNING]);
  const { findings, elsewhere } = await reconcile(first);
  expect(findings).toEqual([]);
  expect(elsewhere).toEqual([
    { campaign: 'three', why: expect.stringContaining('another Temporal server') as string },
    { campaign: 'two', why: `it belongs to the namespace "${name}-b"` },
  ]);
  expect(await assayJson(first, 'status', 'three')).toMatchObject({
    state: 'calibrating',
    unexamined: expect.stringContaining('another Temporal server') as string,
  });
  // as an assay of before stored it
  await raw('campaigns').updateOne({ _id: 'three' }, { $unset: { namespaceId: '' } });
  const unrecorded = await reconcile(first);
  expect(unrecorded.findings).toEqual([]);
  expect(unrecorded.elsewhere[0]).toMatchObject({
    campaign: 'three',
    why: expect.stringContaining('did not record its server') as string,
  });
  expect(await others()).toEqual([RUNNING, RUNNING]);
  // its own server knows it by its run
  expect(await reconcile(third)).toMatchObject({ findings: [], elsewhere: [{}, {}] });
  expect((await raw('campaigns').findOne({ _id: 'three' }))?.namespaceId).toMatch(/.{30}/);
});

it.each([
  ['terminate', 'two', '--yes'],
  ['terminate', 'three', '--yes'],
  ['stop', 'three', '--now'],
  ['pause', 'two'],
  ['reconcile', 'two'],
])('%s %s is refused on another server, with the way there', async (...args) => {
  const { code, stderr } = await assay(first, ...args);
  expect([code, stderr]).toEqual([2, expect.stringContaining('is not of this server')]);
  expect(stderr).toContain('TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE');
  expect(await others()).toEqual([RUNNING, RUNNING]);
});

it('terminate ends its own campaign, and leaves alone what runs elsewhere under its name', async () => {
  const lane = await third.client.workflow.start('specialist', {
    taskQueue: 'nobody',
    workflowId: 'one/solo-1',
    args: [],
  });
  await assayJson(first, 'terminate', 'one', '--yes');
  expect((await first.campaign('one')).state).toBe('stopped');
  expect(await others()).toEqual([RUNNING, RUNNING]);
  const findings = await until('the list of the server', async () => {
    const found = (await reconcile(third)).findings.filter(({ key }) => key === 'one/solo-1');
    return found.length > 0 ? found : null;
  });
  expect(findings).toMatchObject([{ campaign: '-', did: expect.stringContaining('left alone') as string }]);
  expect((await lane.describe()).status.name).toBe('RUNNING');
  await lane.terminate();
});

it('audit and gc of one server leave whole what the others need', async () => {
  const idle = await first.lineage.blobs.put(`nobody needs ${name}`);
  const lately = await first.lineage.blobs.put(`somebody may need ${name}`);
  const old = { $set: { storedAt: new Date(0) } };
  await raw('blobs').updateMany({ _id: { $ne: lately } }, old);
  await raw('snapshots').updateMany({}, old);
  expect(await assayJson(first, 'gc', '--dry-run')).toMatchObject({
    dryRun: true,
    freed: { blobs: { count: 1 } },
  });
  const collected = await assayJson(first, 'gc');
  expect(collected).toMatchObject({
    freed: { blobs: { count: 1 }, snapshots: { count: 0 } },
    young: { count: 1 },
  });
  expect((await first.lineage.blobs.examine(idle)).wrong).toBe('it is not in the store');
  expect((await first.lineage.blobs.examine(lately)).wrong).toBeNull();
  for (const world of [first, second, third]) {
    const model = await auditOf(
      {
        ...world,
        temporal: { address: world.env.TEMPORAL_ADDRESS ?? '', namespace: world.namespace },
        home: world.env.ASSAY_HOME ?? '',
      },
      ['one', 'two', 'three'],
    );
    expect(violationsOf(model)).toEqual([]);
    expect(
      model.invariants.flatMap(({ notExamined }) => notExamined.map(({ why }) => why)).join('\n'),
    ).toContain('is left out');
  }
  expect(await others()).toEqual([RUNNING, RUNNING]);
});

it('a campaign whose server is gone is settled when a person says so', async () => {
  const here = await assay(third, 'reconcile', 'three', '--server-gone');
  expect([here.code, here.stderr]).toEqual([2, expect.stringContaining('which is not gone')]);
  const beside = await assay(first, 'reconcile', 'two', '--server-gone');
  expect([beside.code, beside.stderr]).toEqual([2, expect.stringContaining(`TEMPORAL_NAMESPACE=${name}-b`)]);
  // its trial may not have been started yet
  for (const id of ['three', 'three/t00000'])
    await third.client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  await reconcile(first, 'three', '--server-gone');
  expect(await first.campaign('three')).toMatchObject({ state: 'stopped', active: {} });
  expect(await seen(second, 'two')).toEqual(RUNNING);
  await assayJson(second, 'terminate', 'two', '--yes');
});

it('campaigns without a name that are started on both servers at once all begin', async () => {
  const fleets = [
    await first.fleet({}, undefined, ['orchestrator']),
    await third.fleet({}, undefined, ['orchestrator']),
  ];
  const start = async (world: World) => ({
    world,
    typed: await assay(world, 'start', '--task', 'tiny', '--specialists', 'solo'),
  });
  const both = await Promise.all([start(first), start(third)]);
  expect(both.map(({ typed }) => typed.stdout.trim()).sort()).toEqual(['tiny', 'tiny-2']);
  for (const { world, typed } of both) {
    const campaign = await world.campaign(typed.stdout.trim());
    expect(campaign.namespaceId).toBe(await temporalNamespace(world.client).id());
    await assayJson(world, 'terminate', campaign._id, '--yes');
  }
  for (const fleet of fleets) await fleet.stop();
});
