import {
  MongoClient,
  MongoError,
  MongoNetworkError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  type Db,
} from 'mongodb';
import { z } from 'zod';
import type { Clock } from '../domain/campaign/clock.js';
import { AssayError } from '../domain/errors.js';
import { Blobs } from './blob-store/blobs.js';
import { Budgets } from './budgets/budgets.js';
import { Campaigns } from './campaigns.js';
import { systemClock } from './clock.js';
import { Claims } from './decisions/claims.js';
import { Decisions } from './decisions/decisions.js';
import { Leaderboards } from './leaderboards.js';
import { Hosts } from './hosts.js';
import { PhaseResults } from './trials/phase-results.js';
import { AuditReader } from './audit-reader.js';
import { Replicates } from './trials/replicates.js';
import { Sessions } from './sessions/sessions.js';
import { TypedCollection } from './typed-collection.js';
import { storeFault } from './store-fault.js';
import { Tasks } from './tasks.js';
import { Trials } from './trials/trials.js';

/** Raised when documents change their shape; a store of another version is refused, never guessed at. */
export const STORE_SCHEMA_VERSION = 8;

/** Of a store of this version everything can be read as it is. */
const READABLE_SCHEMA_VERSION = 7;

/**
 * A store that takes a connection and then says nothing counts as away after this long. No command of ours comes near
 * it; `socketTimeoutMS` in the URL says otherwise.
 */
const SILENCE_MS = 60_000;

const schemaDocument = z.object({ _id: z.literal('schema'), version: z.number().int() });

/** The one door to the store. */
export interface Lineage {
  blobs: Blobs;
  tasks: Tasks;
  campaigns: Campaigns;
  trials: Trials;
  replicates: Replicates;
  phases: PhaseResults;
  decisions: Decisions;
  claims: Claims;
  sessions: Sessions;
  budgets: Budgets;
  leaderboards: Leaderboards;
  hosts: Hosts;
  records: AuditReader;
  close(): Promise<void>;
}

export interface StoreAddress {
  url: string;
  database: string;
}

/**
 * Connects, checks the schema version and makes sure of the indexes.
 * @throws AssayError STORE_UNREACHABLE, STORE_UNAVAILABLE, STORE_SCHEMA
 */
export async function openLineage(address: StoreAddress, clock: Clock = systemClock): Promise<Lineage> {
  let client: MongoClient | null = null;
  try {
    client = new MongoClient(address.url, {
      writeConcern: { w: 'majority' },
      serverSelectionTimeoutMS: 10_000,
      ...(/[?&]socketTimeoutMS=/i.test(address.url) ? {} : { socketTimeoutMS: SILENCE_MS }),
      appName: 'assay',
    });
    await client.connect();
    const database = client.db(address.database);
    await checkSchema(database);
    await ensureIndexes(database);
    return lineageOf(client, database, clock);
  } catch (error) {
    await client?.close();
    throw storeFault(address.url, error, { urlRead: client !== null });
  }
}

function lineageOf(client: MongoClient, database: Db, clock: Clock): Lineage {
  const blobs = new Blobs(database);
  return {
    blobs,
    tasks: new Tasks(database, blobs),
    campaigns: new Campaigns(database, clock),
    trials: new Trials(database),
    replicates: new Replicates(database),
    phases: new PhaseResults(database),
    decisions: new Decisions(database),
    claims: new Claims(database),
    sessions: new Sessions(database),
    budgets: new Budgets(database),
    leaderboards: new Leaderboards(database),
    hosts: new Hosts(database),
    records: new AuditReader(database),
    close: () => client.close(),
  };
}

async function checkSchema(database: Db): Promise<void> {
  const shelf = new TypedCollection(database.collection<{ _id: string }>('meta'), schemaDocument);
  await shelf.insertOnce({ _id: 'schema', version: STORE_SCHEMA_VERSION });
  await shelf.update(
    { _id: 'schema', version: READABLE_SCHEMA_VERSION },
    { $set: { version: STORE_SCHEMA_VERSION } },
  );
  const { version } = await shelf.require('schema');
  if (version !== STORE_SCHEMA_VERSION)
    throw new AssayError(
      'STORE_SCHEMA',
      `the database "${database.databaseName}" has schema ${version}, this assay writes ${STORE_SCHEMA_VERSION}`,
    );
}

/** Every document of a collection has every unique field: the fallback store treats missing ones as equal. */
async function ensureIndexes(database: Db): Promise<void> {
  await database.collection('campaigns').createIndex({ owner: 1 }, { unique: true }, {});
  await database.collection('trials').createIndex({ submitKey: 1 }, { unique: true }, {});
  await database.collection('trials').createIndex({ slot: 1 }, { unique: true }, {});
  await database.collection('decisions').createIndex({ decides: 1 }, { unique: true }, {});
  await database.collection('decisions').createIndex({ owner: 1, touches: 1, sequence: -1 }, {}, {});
  await database.collection('ledger').createIndex({ owner: 1 }, {}, {});
}

/** A stepdown, a primary that is not one any more: labels that the driver puts on what passes by itself. */
const OUTAGE_LABELS = ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError', 'ResetPool'];

/** Whether an error is the store's own: away, refusing, or overloaded. It says nothing about what was asked of it. */
export function isStoreTrouble(error: unknown): boolean {
  return error instanceof MongoError;
}

/** Whether an error means that the store is away, so that trying again later can help. */
export function isStoreOutage(error: unknown): boolean {
  return (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoTopologyClosedError ||
    (error instanceof MongoError && OUTAGE_LABELS.some((label) => error.hasErrorLabel(label)))
  );
}
