import type { Db, MongoClient } from 'mongodb';
import type { Clock } from '../domain/campaign/clock.js';
import { CampaignArchive } from './archive/campaign-archive.js';
import { Blobs } from './blob-store/blobs.js';
import { Garbage } from './blob-store/garbage.js';
import { Budgets } from './budgets/budgets.js';
import { Campaigns } from './campaigns.js';
import { systemClock } from './clock.js';
import { clientOf, type MakeClient } from './connection.js';
import { createIndexes, INDEXES_DIGEST } from './indexes.js';
import { migrate } from './migrations/migrate.js';
import { MIGRATIONS } from './migrations/migrations.js';
import { Claims } from './decisions/claims.js';
import { Decisions } from './decisions/decisions.js';
import { Drains } from './drains.js';
import { Leaderboards } from './leaderboards.js';
import { Hosts } from './hosts.js';
import { PhaseResults } from './trials/phase-results.js';
import { AuditReader } from './audit-reader.js';
import { Calibrations } from './trials/calibrations.js';
import { Replicates } from './trials/replicates.js';
import { Sessions } from './sessions/sessions.js';
import { storeFault } from './store-fault.js';
import { Tasks } from './tasks.js';
import { Trials } from './trials/trials.js';

/** Access to the store; there is no other. */
export interface Lineage {
  blobs: Blobs;
  tasks: Tasks;
  campaigns: Campaigns;
  trials: Trials;
  replicates: Replicates;
  calibrations: Calibrations;
  phases: PhaseResults;
  decisions: Decisions;
  claims: Claims;
  sessions: Sessions;
  budgets: Budgets;
  leaderboards: Leaderboards;
  hosts: Hosts;
  drains: Drains;
  records: AuditReader;
  garbage: Garbage;
  archive: CampaignArchive;
  close(): Promise<void>;
}

export interface StoreAddress {
  url: string;
  database: string;
}

export interface LineageOptions {
  /** Default: this machine's clocks. */
  clock?: Clock;
  /** Called with each line about a migration; default: stderr. */
  say?: (line: string) => void;
  /** Makes sure of every index even where the store says that it has them: a copy of a store may lack them. */
  ensureIndexes?: boolean;
  makeClient?: MakeClient;
}

/**
 * Connects, migrates the store to the current schema and creates missing indexes.
 * @throws AssayError STORE_UNREACHABLE, STORE_UNAVAILABLE, STORE_SCHEMA
 */
export async function openLineage(
  address: StoreAddress,
  { clock = systemClock, say = onStderr, ensureIndexes = false, makeClient }: LineageOptions = {},
): Promise<Lineage> {
  let client: MongoClient | null = null;
  try {
    const made = clientOf(address.url, makeClient);
    client = made.client;
    await client.connect();
    const database = client.db(address.database, made.databaseOptions());
    const { indexes } = await migrate(database, { migrations: MIGRATIONS, say });
    if (ensureIndexes || indexes !== INDEXES_DIGEST) await createIndexes(database);
    return lineageOf(client, database, clock);
  } catch (error) {
    await client?.close();
    throw storeFault(address.url, error, { urlRead: client !== null });
  }
}

const onStderr = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

function lineageOf(client: MongoClient, database: Db, clock: Clock): Lineage {
  const blobs = new Blobs(database, clock);
  return {
    blobs,
    tasks: new Tasks(database, blobs),
    campaigns: new Campaigns(database, clock),
    trials: new Trials(database),
    replicates: new Replicates(database),
    calibrations: new Calibrations(database),
    phases: new PhaseResults(database),
    decisions: new Decisions(database),
    claims: new Claims(database),
    sessions: new Sessions(database),
    budgets: new Budgets(database),
    leaderboards: new Leaderboards(database),
    hosts: new Hosts(database),
    drains: new Drains(database),
    records: new AuditReader(database),
    garbage: new Garbage(database, clock),
    archive: new CampaignArchive(database),
    close: () => client.close(),
  };
}
