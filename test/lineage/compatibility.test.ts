import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { taskSchema } from '../../src/domain/task/task.js';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { ASSAY_VERSION } from '../../src/lineage/assay-version.js';
import { KINDS } from '../../src/lineage/document-kinds.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { restore, storedStore } from './stored-store.js';

let lineage: Lineage;
let client: MongoClient;
const database = `compatibility_${process.pid}`;
beforeAll(async () => {
  const address = await restore(await storedStore(8), database);
  client = await MongoClient.connect(inject('storeUrl'));
  lineage = await openLineage(address, { say: () => undefined });
});
afterAll(async () => {
  await lineage.close();
  await client.close();
});
const rows = (collection: string) =>
  client.db(database).collection<{ _id: string; [field: string]: unknown }>(collection);

/** Objects whose keys are data, by the name of their field. */
const KEYED = ['active', 'open', 'metrics', 'statuses', 'lanes', 'edits'];

/** Copies a document with a field of a newer assay in every object. */
function fromTheFuture(value: unknown, field = ''): unknown {
  if (Array.isArray(value)) return value.map((each: unknown) => fromTheFuture(each));
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const same = Object.entries(value).map(([key, each]) => [key, fromTheFuture(each, key)] as const);
  return { ...Object.fromEntries(same), ...(!KEYED.includes(field) && { fromTheFuture: { deep: 1 } }) };
}

it('reads documents of every kind with fields that a newer assay has put anywhere in them', async () => {
  for (const { collection, schema } of Object.values(KINDS))
    for (const document of await rows(collection).find().toArray()) {
      const read = schema.safeParse(fromTheFuture(document));
      expect([collection, document._id, read.error?.issues ?? []]).toEqual([collection, document._id, []]);
    }
});

it('keeps fields of a newer assay through every change', async () => {
  const owner = `test/${randomUUID()}`;
  await lineage.campaigns.freeze(frozenOf('changed', owner));
  await lineage.budgets.create(owner, frozenOf('changed', owner).limits);
  const more = { fromTheFuture: 1, 'elapsed.fromTheFuture': 1 };
  await rows('campaigns').updateOne({ _id: 'changed' }, { $set: more });
  await rows('budgets').updateOne({ _id: owner }, { $set: { fromTheFuture: 1, 'limits.fromTheFuture': 1 } });
  await lineage.campaigns.tick(owner, 1);
  await lineage.campaigns.setControl(owner, 'paused', { kind: 'pause', said: 'a test' });
  await lineage.campaigns.windDown(owner, 'stopping', { kind: 'text', text: 'a test' });
  await lineage.budgets.changeLimits(owner, { id: 'u', by: null, change: { trials: 99 } });
  const campaign = await rows('campaigns').findOne({ _id: 'changed' });
  expect(campaign).toMatchObject({ control: 'stopping', fromTheFuture: 1, elapsed: { fromTheFuture: 1 } });
  const budget = await rows('budgets').findOne({ _id: owner });
  expect(budget).toMatchObject({ fromTheFuture: 1, limits: { trials: 99, fromTheFuture: 1 } });
});

it('says in each document who wrote it, and refuses one of a newer version of its kind by name', async () => {
  const owner = `test/${randomUUID()}`;
  await lineage.campaigns.freeze(frozenOf('newer', owner));
  const stored = await rows('campaigns').findOne({ _id: 'newer' });
  expect(stored).toMatchObject({ written: { version: 1, assay: ASSAY_VERSION } });
  await rows('campaigns').updateOne({ _id: 'newer' }, { $set: { written: { version: 2, assay: '0.9.3' } } });
  await expect(lineage.campaigns.byName('newer')).rejects.toMatchObject({
    code: 'STORE_SCHEMA',
    message: `campaigns newer has version 2, written by assay 0.9.3; this assay (${ASSAY_VERSION}) reads up to 1`,
    remedy: 'Use assay 0.9.3 or a later one with this store.',
  });
  await rows('campaigns').deleteOne({ _id: 'newer' });
});

it('goes on with a stored task that a rule of today refuses', async () => {
  const { digest } = (await lineage.campaigns.byName('paused')).frozen.task;
  const broken = {
    'spec.title': 'long '.repeat(50),
    'spec.phases.train.timeout_s': 8 * 86_400,
    'spec.newer': true,
  };
  await rows('tasks').updateOne({ _id: digest }, { $set: broken });
  const stored = await rows('tasks').findOne({ _id: digest });
  expect(taskSchema.safeParse(stored?.spec).error?.issues.map(({ path }) => path.join('.'))).toEqual([
    'title',
    'phases.train.timeout_s',
    '',
  ]);
  expect((await lineage.tasks.get(digest)).spec.phases.train.timeout_s).toBe(8 * 86_400);
  expect(await statusModel(lineage, 'paused')).toMatchObject({ state: 'paused' });
});
