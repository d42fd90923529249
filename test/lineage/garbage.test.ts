import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Binary, Collection, GridFSBucket, MongoClient, ObjectId } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { LEAST_AGE_MS } from '../../src/lineage/blob-store/garbage.js';
import { collectDigests } from '../../src/lineage/blob-store/references.js';
import { RENEWED_AFTER_MS } from '../../src/lineage/blob-store/stored-at.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';

const database = `garbage_${process.pid}`;
let now = Date.now();
const clock = { wall: () => new Date(now), monotonicMs: () => now };
let lineage: Lineage;
let client: MongoClient;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database }, { clock });
  client = await MongoClient.connect(inject('storeUrl'));
});
afterAll(async () => {
  await lineage.close();
  await client.close();
});

afterEach(() => void vi.restoreAllMocks());

const blobs = () => client.db(database).collection<{ _id: string }>('blobs');
const collect = (dryRun = false) => lineage.garbage.collect({ minAgeMs: LEAST_AGE_MS, dryRun });
const has = async (digest: string): Promise<boolean> => (await lineage.blobs.examine(digest)).wrong === null;
const bytesOf = (text: string) => [{ path: 'train.py', bytes: Buffer.from(text) }];
const LARGE = 5 * 1024 * 1024;

/** A trial that names a snapshot and a diff. */
async function submitted(text: string) {
  const owner = `test/${randomUUID()}`;
  const snapshot = await lineage.blobs.putTree(bytesOf(text));
  const diff = await lineage.blobs.put(`diff of ${text}`);
  await lineage.trials.insertStart({
    ...{ owner, campaign: 'c', submitKey: `${owner}/start`, snapshot, diff, hypothesis: text },
    ...{ parent: null, parentSnapshot: null, changes: '', expectedDelta: null },
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
    ...{ role: 'start', lane: 'start-1', session: null, turn: null },
  });
  await lineage.trials.settle(owner, 0, unmeasured('cancelled', 'by a test'));
  return { snapshot, diff };
}

describe('gc', () => {
  it('frees trees and files that no record names once they are old, and says how much', async () => {
    const { snapshot, diff } = await submitted('needed');
    const tree = await lineage.blobs.putTree(bytesOf('abandoned'));
    const shared = await lineage.blobs.putTree([
      ...bytesOf('needed'),
      { path: 'b', bytes: Buffer.from('b') },
    ]);
    const large = await lineage.blobs.put(Buffer.alloc(LARGE, 7));
    expect((await collect()).freed.blobs.count).toBe(0);
    now += LEAST_AGE_MS;
    const planned = await collect(true);
    expect(planned.freed).toMatchObject({ snapshots: { count: 2 }, blobs: { count: 3, bytes: LARGE + 10 } });
    expect(await has(large)).toBe(true);
    expect((await collect()).freed).toEqual(planned.freed);
    expect([
      await lineage.blobs.hasTree(tree),
      await lineage.blobs.hasTree(shared),
      await has(large),
    ]).toEqual([false, false, false]);
    expect(await lineage.blobs.readTree(snapshot)).toMatchObject([{ path: 'train.py' }]);
    expect(await has(diff)).toBe(true);
    expect(await client.db(database).collection('large.chunks').countDocuments()).toBe(0);
    expect((await collect()).freed.blobs.count).toBe(0);
  });

  it('counts content that is stored again, or asked for, as new', async () => {
    const again = await lineage.blobs.put('again');
    const tree = await lineage.blobs.putTree(bytesOf('asked for'));
    now += LEAST_AGE_MS - RENEWED_AFTER_MS;
    await lineage.blobs.put('again');
    expect(await lineage.blobs.hasTree(tree)).toBe(true);
    now += RENEWED_AFTER_MS;
    await collect();
    expect(await has(again)).toBe(true);
    expect(await lineage.blobs.readTree(tree)).toHaveLength(1);
  });

  it('never takes bytes from one who stores them again, whichever of the two is quicker', async () => {
    now += LEAST_AGE_MS;
    await collect();
    const digest = await lineage.blobs.put('contended');
    now += LEAST_AGE_MS;
    const renewing = vi.spyOn(Collection.prototype, 'updateOne');
    renewing.mockImplementationOnce(async function (this: Collection, ...args) {
      expect((await collect()).freed.blobs.count).toBe(1);
      return this.updateOne(...args);
    });
    await lineage.blobs.put('contended');
    expect(await has(digest)).toBe(true);

    now += LEAST_AGE_MS;
    const freeing = vi.spyOn(Collection.prototype, 'deleteOne');
    freeing.mockImplementationOnce(async function (this: Collection, ...args) {
      await lineage.blobs.put('contended');
      return this.deleteOne(...args);
    });
    expect((await collect()).freed.blobs.count).toBe(0);
    expect(await has(digest)).toBe(true);
  });

  it('frees what is left of large content whose file is gone', async () => {
    const digest = await lineage.blobs.put(Buffer.alloc(LARGE, 8));
    await client.db(database).collection('large.files').deleteMany({});
    now += LEAST_AGE_MS;
    expect((await collect()).freed.blobs.count).toBeGreaterThan(0);
    expect((await lineage.blobs.examine(digest)).wrong).toBe('it is not in the store');
    expect(await client.db(database).collection('large.chunks').countDocuments()).toBe(0);
  });

  it('gives content of an assay that noted no time one, and frees it when that is old', async () => {
    const digest = await lineage.blobs.put('of before');
    await blobs().updateOne({ _id: digest }, { $unset: { storedAt: '' } });
    now += 10 * LEAST_AGE_MS;
    await collect(true);
    await collect();
    expect(await has(digest)).toBe(true);
    now += LEAST_AGE_MS;
    await collect();
    expect(await has(digest)).toBe(false);
  });

  it('frees what a kill between two writes left of large files, and nothing of an upload under way', async () => {
    // the driver names the time of uploads by its own clock
    now = Date.now();
    const bucket = new GridFSBucket(client.db(database), { bucketName: 'large' });
    const chunks = client.db(database).collection('large.chunks');
    const written = async (at: number): Promise<ObjectId> => {
      const file = ObjectId.createFromTime(at / 1000);
      const id = new ObjectId(
        `${file.toHexString().slice(0, 8)}${randomUUID().replaceAll('-', '').slice(0, 16)}`,
      );
      await chunks.insertOne({ files_id: id, n: 0, data: new Binary(Buffer.alloc(1000)) });
      return id;
    };
    const lost = await written(now - LEAST_AGE_MS - 1000);
    const going = await written(now);
    const twice = bucket.openUploadStream('twice');
    await new Promise((resolve) => twice.on('finish', resolve).end(Buffer.alloc(3000)));
    const { freed } = await collect();
    expect(freed).toMatchObject({ files: { count: 0 }, chunks: { count: 1 } });
    expect(freed.chunks.bytes).toBeGreaterThan(1000);
    expect(await chunks.countDocuments({ files_id: lost })).toBe(0);
    expect(await chunks.countDocuments({ files_id: going })).toBe(1);
    await client
      .db(database)
      .collection<{ _id: ObjectId }>('large.files')
      .updateOne({ _id: twice.id }, { $set: { uploadDate: new Date(now - LEAST_AGE_MS) } });
    expect((await collect()).freed.files).toEqual({ count: 1, bytes: 3000 });
    expect(await chunks.countDocuments({ files_id: twice.id })).toBe(0);
  });

  it('keeps one file of large content that two store at once', async () => {
    const bytes = Buffer.alloc(LARGE, 9);
    await Promise.all([lineage.blobs.put(bytes), lineage.blobs.put(bytes), lineage.blobs.put(bytes)]);
    expect(await client.db(database).collection('large.files').countDocuments()).toBe(1);
  });
});

it('finds a digest wherever a document names it', () => {
  const digest = 'c0ffee00'.repeat(8);
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.date(), fc.boolean());
  const { nested } = fc.letrec((tie) => ({
    nested: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(digest, `owner/${digest}`),
      fc.tuple(fc.array(leaf, { maxLength: 3 }), tie('nested')).map(([rest, found]) => [...rest, found]),
      fc.tuple(fc.dictionary(fc.string(), leaf), tie('nested')).map(([rest, found]) => ({ ...rest, found })),
      fc.dictionary(fc.string(), leaf).map((rest) => ({ ...rest, [`key-${digest}`]: 1 })),
    ),
  }));
  fc.assert(
    fc.property(nested, (document) => {
      const found = new Set<string>();
      collectDigests(document, found);
      expect(found).toContain(digest);
    }),
  );
});
