import type { Db } from 'mongodb';
import { sha256 } from '../domain/digest.js';
import { KINDS } from './document-kinds.js';

const DEFINED = Object.values(KINDS).flatMap(({ collection, indexes }) =>
  indexes.length === 0 ? [] : [{ collection, indexes }],
);

/** Digest of all definitions, so that a store can record that it has them. */
export const INDEXES_DIGEST = sha256(JSON.stringify(DEFINED));

/** Creates the indexes that are missing. */
export async function createIndexes(database: Db): Promise<void> {
  for (const { collection, indexes } of DEFINED)
    for (const { keys, unique } of indexes)
      await database.collection(collection).createIndex(keys, { ...(unique && { unique }) }, {});
  await database
    .collection<{ _id: string }>('meta')
    .updateOne({ _id: 'schema' }, { $set: { indexes: INDEXES_DIGEST } });
}
