import type { Db } from 'mongodb';
import { AssayError } from '../../domain/errors.js';
import { takeLock, type LockDocument } from './lock.js';
import { numberOf, type Migration } from './migration.js';
import {
  beginStore,
  latestVersion,
  readStoreVersion,
  recordMigration,
  requireReadable,
  type StoreVersion,
} from './store-version.js';

export interface MigrateOptions {
  migrations: readonly Migration[];
  /** Called with each line about the progress. */
  say: (line: string) => void;
  /** See {@link takeLock}. */
  staleMs?: number;
}

/**
 * Migrates a store to the schema of this assay. One process does so at a time while the others wait; if it dies,
 * another continues after the last finished migration.
 * @throws AssayError STORE_SCHEMA for a store that only a newer assay can read, or that is too old
 */
export async function migrate(database: Db, options: MigrateOptions): Promise<StoreVersion> {
  const { migrations, say, staleMs } = options;
  const store = await current(database, migrations);
  if (pending(store, migrations).length === 0) return store;
  const lock = await takeLock(database.collection<LockDocument>('meta'), 'migration-lock', {
    ...(staleMs !== undefined && { staleMs }),
    onWait: () => say(`another process migrates the database "${database.databaseName}"; waiting for it …`),
  });
  try {
    // migrations that the previous holder finished are not repeated
    const left = pending(await current(database, migrations), migrations);
    for (const migration of left) await run(database, migration, lock.require, say);
  } finally {
    await lock.release();
  }
  return current(database, migrations);
}

async function run(
  database: Db,
  migration: Migration,
  checkpoint: () => void,
  say: (line: string) => void,
): Promise<void> {
  const { id, title } = migration;
  say(`migrating the database "${database.databaseName}": ${id} (${title})`);
  await migration.run({ database, checkpoint, say: (line) => say(`  ${id}: ${line}`) });
  checkpoint();
  await recordMigration(database.collection('meta'), migration);
}

const pending = ({ migrated }: StoreVersion, migrations: readonly Migration[]): Migration[] =>
  migrations.filter((migration) => numberOf(migration) > migrated);

/** Reads the version record of a store; a new store gets one. */
async function current(database: Db, migrations: readonly Migration[]): Promise<StoreVersion> {
  const meta = database.collection<{ _id: string }>('meta');
  if ((await readStoreVersion(meta)) === null) await beginStore(meta, migrations);
  const store = await readStoreVersion(meta);
  if (store === null) throw new AssayError('STORE_DOCUMENT', 'the store forgets what was written');
  requireReadable(database.databaseName, store, latestVersion(migrations));
  return store;
}
