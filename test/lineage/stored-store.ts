import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { BSON, MongoClient } from 'mongodb';
import { inject } from 'vitest';
import { z } from 'zod';
import type { StoreAddress } from '../../src/lineage/lineage.js';

const dumpSchema = z.record(z.string(), z.array(z.looseObject({ _id: z.unknown() })));
export type Dump = z.infer<typeof dumpSchema>;

/**
 * All documents of a store as an earlier assay left them, by collection. `8` was written by commit d6cc902 through
 * real servers: `claimed` has ended with claims at a milestone and at its end, `ended` without, and `paused` waits for
 * a person after its first trial.
 */
export async function storedStore(version: 8): Promise<Dump> {
  const path = fileURLToPath(new URL(`stores/${version}.ejson.gz`, import.meta.url));
  const text = gunzipSync(await readFile(path)).toString('utf8');
  return dumpSchema.parse(BSON.EJSON.parse(text, { relaxed: false }));
}

/** Puts a dump into a database of the run's store. */
export async function restore(dump: Dump, database: string): Promise<StoreAddress> {
  const url = inject('storeUrl');
  const client = await MongoClient.connect(url);
  await client.db(database).dropDatabase();
  for (const [name, documents] of Object.entries(dump))
    await client
      .db(database)
      .collection(name)
      .insertMany(documents.map((document) => ({ ...document })) as never);
  await client.close();
  return { url, database };
}
