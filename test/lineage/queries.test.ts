import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { beforeAll, afterAll, expect, inject, it } from 'vitest';
import { reconcile } from '../../src/reconcile/reconcile.js';
import { audit } from '../../src/analysis/audit/audit.js';
import { campaignsModel } from '../../src/analysis/read-models/campaigns.js';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { KINDS } from '../../src/lineage/document-kinds.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { countingClient, type Query } from './counting-client.js';
import { restore, storedStore } from './stored-store.js';

const nowhere = {
  server: () => Promise.resolve('not asked in this test'),
  host: () => Promise.resolve('not asked in this test'),
  kept: () => Promise.resolve(null),
};
const counted = countingClient();
let lineage: Lineage;
let client: MongoClient;
const database = `queries_${process.pid}`;
beforeAll(async () => {
  const address = await restore(await storedStore(8), database);
  client = await MongoClient.connect(inject('storeUrl'));
  lineage = await openLineage(address, { say: () => undefined, makeClient: counted.makeClient });
});
afterAll(async () => {
  await lineage.close();
  await client.close();
});

const indexesOf = (collection: string) => [
  { _id: 1 },
  ...Object.values(KINDS)
    .filter((kind) => kind.collection === collection)
    .flatMap(({ indexes }) => indexes.map(({ keys }) => keys)),
];

/** Returns true when an index serves a query, and its order if it has one. */
function isServed({ collection, filter, sort }: Query): boolean {
  // lists of a few documents, and GridFS, which makes its own
  if (['meta', 'hosts', 'taskNames', 'large.files', 'large.chunks'].includes(collection)) return true;
  return indexesOf(collection).some((index) => {
    const keys = Object.keys(index);
    const fixed = keys.filter((key) => key in filter);
    const [first] = keys;
    if (Object.keys(filter).length > 0 && (first === undefined || !(first in filter))) return false;
    const ordered = keys.filter((key) => !fixed.includes(key) || sort.includes(key));
    return sort.every((key, at) => ordered[at] === key);
  });
}

const emptyServer = {
  workflowFact: () => Promise.resolve('closed' as const),
  namespace: { name: 'test', id: () => Promise.resolve('an id'), knowsRun: () => Promise.resolve(true) },
};

/** Runs a campaign's own queries, which the readers do not use. */
async function works(name: string): Promise<void> {
  const owner = `test/${randomUUID()}`;
  const { task } = (await lineage.campaigns.byName('claimed')).frozen;
  await lineage.campaigns.freeze({ ...frozenOf(name, owner), task });
  await lineage.campaigns.setControl(owner, 'paused', { kind: 'pause', said: 'a test' });
  await lineage.campaigns.tick(owner, 0);
  await lineage.budgets.create(owner, frozenOf(name, owner).limits);
  const start = (await lineage.trials.get((await lineage.campaigns.byName('claimed')).owner, 0)) ?? null;
  if (start === null) throw new Error('no trial is stored');
  const proposal = { ...start, owner, campaign: name, submitKey: `${owner}/a` };
  await lineage.trials.submit(proposal, { trials: 9, submissions: 9 });
  await lineage.trials.submit({ ...proposal, submitKey: `${owner}/b` }, { trials: 9, submissions: 9 });
  await lineage.trials.open(owner, 9);
  for (const number of [1, 2]) await lineage.trials.settle(owner, number, unmeasured('cancelled', 'a test'));
  const spend = { owner, key: `${owner}/k`, what: 'model', role: 'solo', trial: null };
  await lineage.budgets.reserve({ ...spend, amounts: { microUsd: 0, acceleratorMs: 0, tokens: 1 } });
  await lineage.budgets.settle(owner, spend.key, 'upper-bound', 'known');
  await lineage.budgets.rows(owner, 9);
  await lineage.campaigns.windDown(owner, 'stopping', { kind: 'text', text: 'a test' });
  await lineage.campaigns.setState(owner, 'stopped', { kind: 'text', text: 'a test' });
}

it('has an index for every query that is not by _id', async () => {
  const names = ['claimed', 'ended', 'paused'];
  await works('works');
  await audit(lineage, names, nowhere);
  await campaignsModel(lineage, 50);
  await lineage.campaigns.listOpen(50);
  for (const name of names) await statusModel(lineage, name);
  await trialRecord(lineage, 'claimed', 1);
  const { owner } = await lineage.campaigns.byName('claimed');
  const [replicate] = (await lineage.trials.require(owner, 1)).replicates;
  await lineage.replicates.trainingSpeeds(owner, (await lineage.replicates.get(replicate ?? '')).hostClass);
  await lineage.decisions.from(owner, 1, 9);
  await lineage.decisions.believed(owner, 1);
  await lineage.tasks.list();
  await reconcile({ lineage, ...emptyServer }, {});
  const unserved = counted.queries.filter((query) => !isServed(query));
  expect(unserved).toEqual([]);
  const asked = counted.queries.filter(({ filter }) => !('_id' in filter));
  expect([...new Set(asked.map(({ collection }) => collection))].sort()).toEqual(
    expect.arrayContaining([
      'campaigns',
      'claims',
      'decisions',
      'ledger',
      'phases',
      'replicates',
      'sessions',
      'trials',
    ]),
  );
});

it('creates the indexes that are defined, those of an older store too', async () => {
  for (const { collection, indexes } of Object.values(KINDS)) {
    const found = await client.db(database).collection(collection).indexes();
    const keys = found.map(({ key }) => JSON.stringify(key));
    for (const index of indexes) expect(keys).toContain(JSON.stringify(index.keys));
  }
});

/** Campaigns that have ended long ago, with budgets as they leave them. */
async function storeEnded(count: number): Promise<void> {
  const campaigns = client.db(database).collection<{ _id: string; [field: string]: unknown }>('campaigns');
  const budgets = client.db(database).collection<{ _id: string; [field: string]: unknown }>('budgets');
  const { owner, _id, ...ended } = (await campaigns.findOne({ _id: 'ended' })) ?? { _id: '' };
  const { _id: _, ...budget } = (await budgets.findOne({ _id: String(owner) })) ?? { _id: '' };
  const names = Array.from({ length: count }, (_each, i) => `${_id}-${String(i).padStart(4, '0')}`);
  await campaigns.insertMany(
    names.map((name) => ({
      ...ended,
      _id: name,
      owner: `old/${name}`,
      settledAt: null,
      createdAt: new Date(0),
      endedAt: new Date(1),
    })),
  );
  await budgets.insertMany(names.map((name) => ({ ...budget, _id: `old/${name}` })));
}

/** Measures a pass of reconcile and a status, once everything is settled. */
async function costs(): Promise<Record<string, { commands: number; documents: number }>> {
  for (let pass = 0; pass < 2; pass += 1) await reconcile({ lineage, ...emptyServer }, {});
  counted.count();
  await reconcile({ lineage, ...emptyServer }, {});
  const passes = counted.count();
  await statusModel(lineage, 'paused');
  const status = counted.count();
  await lineage.campaigns.listOpen(50);
  return { reconcile: passes, status, open: counted.count() };
}

it('reads no more for 1,000 ended campaigns than for none', async () => {
  const before = await costs();
  await storeEnded(1000);
  expect(await costs()).toEqual(before);
}, 240_000);

it('reconcile leaves a campaign open that it cannot settle, says so, and goes on with the next', async () => {
  const { task } = (await lineage.campaigns.byName('claimed')).frozen;
  const names = ['lost-a', 'lost-b', 'lost-c'];
  for (const name of names) await lineage.campaigns.freeze({ ...frozenOf(name, `test/${name}`), task });
  const rows = (collection: string) => client.db(database).collection<{ _id: string }>(collection);
  await rows('campaigns').updateOne({ _id: 'lost-a' }, { $set: { state: 'no state' } });
  await rows('budgets').insertOne({ _id: 'test/lost-b' });
  const unrecorded = { ...emptyServer.namespace, id: () => Promise.resolve(null) };
  const found = await reconcile({ lineage, ...emptyServer, namespace: unrecorded }, {});
  const of = (name: string) => found.filter(({ campaign }) => campaign === name).map(({ did }) => did);
  expect(of('lost-a')).toEqual([expect.stringContaining('left open: a document of campaigns is malformed')]);
  expect(of('lost-b')).toEqual([expect.stringContaining('left open: a document of budgets is malformed')]);
  expect(of('lost-c')).toEqual([expect.stringContaining('ended as stopped')]);
  // a server that cannot say its id leaves none
  expect(await lineage.campaigns.byName('lost-c')).toMatchObject({ state: 'stopped', namespaceId: null });
  await expect(reconcile({ lineage, ...emptyServer }, { campaign: 'lost-b' })).rejects.toThrow('malformed');
});
