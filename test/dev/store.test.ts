import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { GridFSBucket, MongoClient, ObjectId, type Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { homeAt } from '../../src/dev/paths.js';
import { findStoreProgram } from '../../src/dev/store/store-program.js';
import { startStore, type StoreServer } from '../../src/dev/store/store-server.js';
import { pingStore } from '../../src/lineage/ping.js';

interface Row {
  _id: string;
  n?: number;
  best?: { at: number }[];
}

let home: string;
let server: StoreServer;
let client: MongoClient;
let database: Db;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-store-'));
  server = await startStore({ home, program: await findStoreProgram(homeAt(home), () => undefined) });
  client = new MongoClient(server.url, { writeConcern: { w: 'majority' }, serverSelectionTimeoutMS: 2000 });
  database = client.db('test');
});

afterAll(async () => {
  await client.close();
  await server.stop();
  await rm(home, { recursive: true, force: true });
});

describe('the store that was found', () => {
  it('speaks a wire protocol that the driver accepts', async () => {
    expect((await pingStore(server.url, 5000)).wireVersion).toBeGreaterThanOrEqual(9);
  });

  it('changes one document as one step', async () => {
    const rows = database.collection<Row>('steps');
    await rows.insertOne({ _id: 'a', n: 0 });
    const counts = Array.from({ length: 100 }, () => rows.findOneAndUpdate({ _id: 'a' }, { $inc: { n: 1 } }));
    await Promise.all(counts);
    const after = await rows.findOneAndUpdate(
      { _id: 'a' },
      { $set: { best: [] } },
      { returnDocument: 'after' },
    );
    expect(after).toEqual({ _id: 'a', n: 100, best: [] });
  });

  it('lets one of many writers of a unique key through', async () => {
    const rows = database.collection<Row>('unique');
    await rows.createIndex({ n: 1 }, { unique: true }, {});
    const names = Array.from({ length: 20 }, (_, at) => `w${at}`);
    const outcomes = await Promise.allSettled(names.map((name) => rows.insertOne({ _id: name, n: 7 })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('keeps a bounded, sorted list in a document', async () => {
    const rows = database.collection<Row>('lists');
    await rows.insertOne({ _id: 'a', best: [] });
    const each = [3, 1, 2].map((at) => ({ at }));
    await rows.updateOne({ _id: 'a' }, { $push: { best: { $each: each, $sort: { at: -1 }, $slice: 2 } } });
    expect((await rows.findOne({ _id: 'a' }))?.best).toEqual([{ at: 3 }, { at: 2 }]);
  });

  it('stores and returns large files', async () => {
    const bucket = new GridFSBucket(database);
    const id = new ObjectId();
    const content = 'artifact '.repeat(100_000);
    const upload = bucket.openUploadStreamWithId(id, 'model.bin');
    upload.end(content);
    await finished(upload);
    expect(await text(bucket.openDownloadStream(id))).toBe(content);
  });

  it('loses no acknowledged write, and leaves no key without its document, when it is killed', async () => {
    const rows = database.collection<Row>('acknowledged');
    await rows.createIndex({ n: 1 }, { unique: true }, {});
    const acknowledged: string[] = [];
    let down = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; !down; at += 1) {
        const n = writer * 1_000_000 + at;
        await rows.insertOne({ _id: `${n}`, n }).then(
          () => acknowledged.push(`${n}`),
          () => (down = true),
        );
      }
    });
    while (acknowledged.length < 800) await new Promise((resolve) => setTimeout(resolve, 20));
    await server.kill();
    await Promise.all(writers);
    await server.restart();
    const found = new Set((await rows.find().toArray()).map((row) => row._id));
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    for (let writer = 0; writer < 8; writer += 1) {
      const last = acknowledged.filter((id) => Math.floor(Number(id) / 1_000_000) === writer).length - 1;
      for (const n of [last + 1, last + 2].map((at) => writer * 1_000_000 + at)) {
        if (!found.has(`${n}`)) await rows.insertOne({ _id: `${n}`, n });
      }
    }
  });
});
