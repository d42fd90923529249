import { setTimeout as sleep } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { audit } from '../../src/analysis/audit/audit.js';
import { campaignsModel } from '../../src/analysis/read-models/campaigns.js';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { trialsModel } from '../../src/analysis/read-models/trials.js';
import { AssayError } from '../../src/domain/errors.js';
import { ASSAY_VERSION } from '../../src/lineage/assay-version.js';
import { openLineage } from '../../src/lineage/lineage.js';
import { unsettledCampaigns } from '../../src/lineage/migrations/001-unsettled-campaigns.js';
import { migrate } from '../../src/lineage/migrations/migrate.js';
import type { Migration } from '../../src/lineage/migrations/migration.js';
import { restore, storedStore } from './stored-store.js';

let client: MongoClient;
beforeAll(async () => {
  client = await MongoClient.connect(inject('storeUrl'));
});
afterAll(() => client.close());

const nowhere = {
  server: () => Promise.resolve('not asked in this test'),
  host: () => Promise.resolve('not asked in this test'),
  kept: () => Promise.resolve(null),
};
const quiet = (): void => undefined;
const named = (name: string): string => `migrations_${name}_${process.pid}`;
const rows = (database: string, collection: string) =>
  client.db(database).collection<{ _id: string; [field: string]: unknown }>(collection);
const schemaOf = (database: string) => rows(database, 'meta').findOne({ _id: 'schema' });

it('opens a store that the commit before migrations wrote: it holds its audit and is shown', async () => {
  const address = await restore(await storedStore(8), named('stored'));
  const said: string[] = [];
  const lineage = await openLineage(address, { say: (line) => said.push(line) });
  expect(said).toEqual([
    `migrating the database "${address.database}": 001-unsettled-campaigns (campaigns say whether anything is left to settle)`,
    '  001-unsettled-campaigns: 3 of 3 campaigns',
  ]);
  const names = ['claimed', 'ended', 'paused'];
  const { ok, invariants } = await audit(lineage, names, nowhere);
  expect([ok, invariants.flatMap(({ violations }) => violations)]).toEqual([true, []]);
  const shown = await Promise.all(names.map((name) => statusModel(lineage, name)));
  expect(shown.map(({ state, submitted }) => [state, submitted])).toEqual([
    ['finished', 3],
    ['finished', 2],
    ['paused', 1],
  ]);
  expect(shown[0]?.claim).toMatchObject({ state: 'measured' });
  expect((await campaignsModel(lineage, 10)).campaigns.map(({ campaign }) => campaign).sort()).toEqual(names);
  expect((await trialsModel(lineage, 'claimed', { limit: 10, best: false })).trials).toHaveLength(4);
  expect(await trialRecord(lineage, 'claimed', 1)).toMatchObject({
    schema: 'assay.trial/1',
    campaign: 'claimed',
  });
  expect(await schemaOf(address.database)).toMatchObject({
    version: 9,
    migrated: 1,
    assay: ASSAY_VERSION,
    steps: [{ id: '001-unsettled-campaigns', assay: ASSAY_VERSION }],
  });
  await lineage.close();
});

it('takes over a store of version 7 as it does one of 8', async () => {
  const address = await restore(await storedStore(8), named('seven'));
  await rows(address.database, 'meta').updateOne({ _id: 'schema' }, { $set: { version: 7 } });
  await (await openLineage(address, { say: quiet })).close();
  expect(await schemaOf(address.database)).toMatchObject({ version: 9 });
});

it('migrates nothing in a new store', async () => {
  const said: string[] = [];
  const address = { url: inject('storeUrl'), database: named('new') };
  await (await openLineage(address, { say: (line) => said.push(line) })).close();
  await (await openLineage(address, { say: (line) => said.push(line) })).close();
  expect(said).toEqual([]);
  expect(await schemaOf(address.database)).toMatchObject({ version: 9, migrated: 1, assay: ASSAY_VERSION });
});

it.each([
  [
    { version: 10, assay: '0.9.3' },
    /has schema 10, written by assay 0\.9\.3; this assay \(.*\) reads 7 to 9/,
  ],
  [{ version: 6 }, /has schema 6, which is older than any release/],
])('refuses a store of another major version: %o', async (schema, message) => {
  const address = { url: inject('storeUrl'), database: named(`v${schema.version}`) };
  await rows(address.database, 'meta').insertOne({ _id: 'schema', ...schema });
  const refused = await openLineage(address).catch((error: unknown) => error);
  if (!(refused instanceof AssayError)) throw new Error('it was opened');
  expect([refused.code, refused.message]).toEqual(['STORE_SCHEMA', expect.stringMatching(message)]);
  expect(refused.remedy).toContain('ASSAY_MONGODB_DATABASE');
  if (schema.version > 9) expect(refused.remedy).toContain('Use assay 0.9.3 or a later one');
});

it('opens a store to which a newer assay of the same major version has added something', async () => {
  const address = { url: inject('storeUrl'), database: named('newer') };
  await rows(address.database, 'meta').insertOne({
    _id: 'schema',
    version: 9,
    migrated: 7,
    assay: '0.9.3',
    more: 1,
  });
  await (await openLineage(address)).close();
  expect(await schemaOf(address.database)).toMatchObject({ migrated: 7, assay: '0.9.3', more: 1 });
});

/** Opens the store with a client that dies after this many commands; returns whether it finished. */
async function diesAfter(commands: number, address: { url: string; database: string }): Promise<boolean> {
  const mortal = new MongoClient(address.url, {
    monitorCommands: true,
    retryReads: false,
    retryWrites: false,
  });
  let sent = 0;
  mortal.on('commandSucceeded', () => {
    sent += 1;
    if (sent === commands) void mortal.close(true);
  });
  try {
    await mortal.connect();
    await migrate(mortal.db(address.database), {
      migrations: [unsettledCampaigns],
      say: quiet,
      staleMs: 200,
    });
    return sent < commands;
  } catch {
    return false;
  } finally {
    await mortal.close(true);
  }
}

it('goes on after a death at any of its commands', async () => {
  const dump = await storedStore(8);
  let cameThrough = false;
  for (let commands = 1; !cameThrough; commands += 1) {
    const address = await restore(
      { meta: dump.meta ?? [], campaigns: dump.campaigns ?? [] },
      named('killed'),
    );
    cameThrough = await diesAfter(commands, address);
    await migrate(client.db(address.database), {
      migrations: [unsettledCampaigns],
      say: quiet,
      staleMs: 200,
    });
    const unsettled = await rows(address.database, 'campaigns').countDocuments({ settledAt: null });
    expect([commands, unsettled]).toEqual([commands, 3]);
    expect(await schemaOf(address.database)).toMatchObject({ migrated: 1, steps: [{}] });
  }
});

/** Migrations that record who runs them. */
function recording(ran: string[], work: () => Promise<void>): Migration[] {
  const one = (id: Migration['id'], version: number): Migration => ({
    id,
    version,
    title: 'a test',
    run: async () => {
      ran.push(id);
      await work();
    },
  });
  return [one('001-first', 9), one('002-second', 9), one('003-third', 10)];
}

it('runs each migration once and in order, however many processes open the store at once', async () => {
  const { database } = await restore({ meta: [{ _id: 'schema', version: 8 }] }, named('together'));
  const ran: string[] = [];
  const said: string[] = [];
  const migrations = recording(ran, () => sleep(50));
  const opened = await Promise.all(
    Array.from({ length: 5 }, () =>
      migrate(client.db(database), { migrations, say: (line) => said.push(line), staleMs: 2000 }),
    ),
  );
  expect(ran).toEqual(['001-first', '002-second', '003-third']);
  expect(opened.map(({ version, migrated }) => [version, migrated])).toEqual(Array(5).fill([10, 3]));
  expect(said.filter((line) => line.includes('waiting for it'))).toHaveLength(4);
});

it('takes over from a process that only stood still, which then ends without recording anything', async () => {
  const { database } = await restore({ meta: [{ _id: 'schema', version: 8 }] }, named('still'));
  const ran: string[] = [];
  let release = quiet;
  const stands = new Promise<void>((resolve) => (release = resolve));
  const [slow] = recording(ran, () => stands);
  const [fast] = recording(ran, () => Promise.resolve());
  if (slow === undefined || fast === undefined) throw new Error('no migrations');
  const first = migrate(client.db(database), { migrations: [slow], say: quiet, staleMs: 2_000_000 });
  first.catch(quiet);
  while (ran.length === 0) await sleep(10);
  // its renewals are as far apart as its patience, which is longer than the other one's
  await migrate(client.db(database), { migrations: [fast], say: quiet, staleMs: 200 });
  release();
  await first;
  expect(ran).toEqual(['001-first', '001-first']);
  expect(await schemaOf(database)).toMatchObject({ migrated: 1, steps: [{ id: '001-first' }] });
});
