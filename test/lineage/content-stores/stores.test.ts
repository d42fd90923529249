import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Binary, MongoClient, type ObjectId } from 'mongodb';
import { afterAll, inject } from 'vitest';
import { openLineage, type Lineage } from '../../../src/lineage/lineage.js';
import { hostStore } from '../../builders/host-context.js';
import { freshFolder } from '../../sandbox/programs.js';
import { contentStoreContract } from './contract.js';

const database = `content_${process.pid}`;
let lineage: Lineage | null = null;
let client: MongoClient | null = null;
afterAll(async () => {
  await lineage?.close();
  await client?.close();
});

contentStoreContract('the store', async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database });
  client = await MongoClient.connect(inject('storeUrl'));
  const db = client.db(database);
  const chunks = db.collection<{ files_id: ObjectId; n: number; data: Binary }>('large.chunks');
  const blobs = db.collection<{ _id: string; file: ObjectId }>('blobs');
  return {
    store: lineage.blobs,
    damage: async (digest, how) => {
      const blob = await blobs.findOne({ _id: digest });
      if (blob === null) throw new Error(`${digest} is not stored`);
      const last = { files_id: blob.file, n: 3 };
      if (how === 'cut') await chunks.deleteOne(last);
      else await chunks.updateOne(last, { $set: { data: new Binary(Buffer.alloc(255 * 1024, 7)) } });
    },
  };
});

contentStoreContract('the folder of a host', async () => {
  const folder = freshFolder();
  return {
    store: await hostStore(folder),
    damage: (digest, how) => {
      const file = join(folder, 'content', digest);
      if (how === 'cut') truncateSync(file, 1000);
      else writeFileSync(file, Buffer.alloc(5 * 1024 * 1024, 7));
      return Promise.resolve();
    },
  };
});
