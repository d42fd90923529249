import type { Collection } from 'mongodb';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { ASSAY_VERSION } from '../assay-version.js';
import { isDuplicateKey } from '../typed-collection.js';
import { numberOf, type Migration } from './migration.js';

/** Stores older than this were never released. */
const OLDEST = 7;

const storeVersion = z.object({
  _id: z.literal('schema'),
  /** Version of the store; an assay that only knows smaller ones would misread it. */
  version: z.number().int(),
  /** Number of the last finished migration. */
  migrated: z.number().int().default(0),
  /** Version of the assay that made or last migrated the store. */
  assay: z.string().nullable().default(null),
  /** Digest of the definitions of its indexes. */
  indexes: z.string().nullable().default(null),
});
/** Version record of a store. */
export type StoreVersion = z.infer<typeof storeVersion>;

export type Meta = Collection<{ _id: string }>;

export const latestVersion = (migrations: readonly Migration[]): number =>
  migrations.at(-1)?.version ?? OLDEST;

export async function readStoreVersion(meta: Meta): Promise<StoreVersion | null> {
  const found = await meta.findOne({ _id: 'schema' });
  return found === null ? null : storeVersion.parse(found);
}

/** Writes the version record of a new store: nothing is left to migrate. */
export async function beginStore(meta: Meta, migrations: readonly Migration[]): Promise<void> {
  const last = migrations.at(-1);
  const begun = {
    _id: 'schema',
    version: latestVersion(migrations),
    migrated: last === undefined ? 0 : numberOf(last),
    assay: ASSAY_VERSION,
    at: new Date(),
  };
  await meta.insertOne(begun).catch((error: unknown) => {
    if (!isDuplicateKey(error)) throw error;
  });
}

/** Records a finished migration; it is recorded once. */
export async function recordMigration(meta: Meta, migration: Migration): Promise<void> {
  const { id, version } = migration;
  const at = new Date();
  const step = { id, assay: ASSAY_VERSION, at };
  await meta.updateOne(
    { _id: 'schema', migrated: { $not: { $gte: numberOf(migration) } } },
    { $set: { version, migrated: numberOf(migration), assay: ASSAY_VERSION, at }, $push: { steps: step } },
  );
}

/** @throws AssayError STORE_SCHEMA for a store that a newer assay has changed, or that is too old */
export function requireReadable(database: string, store: StoreVersion, known: number): void {
  const { version } = store;
  const says = `the database "${database}" has schema ${version}`;
  const reads = `this assay (${ASSAY_VERSION}) reads ${OLDEST} to ${known}`;
  if (version > known) {
    const assay = store.assay ?? 'of a later version';
    throw new AssayError('STORE_SCHEMA', `${says}, written by assay ${assay}; ${reads}`, {
      remedy:
        `Use assay ${store.assay ?? ''} or a later one with this store, or name another database in ASSAY_MONGODB_DATABASE.`.replace(
          '  ',
          ' ',
        ),
    });
  }
  if (version < OLDEST)
    throw new AssayError('STORE_SCHEMA', `${says}, which is older than any release; ${reads}`, {
      remedy: 'Name another database in ASSAY_MONGODB_DATABASE; this one stays as it is.',
    });
}
