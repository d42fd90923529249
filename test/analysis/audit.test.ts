import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { mkdir, rm } from 'node:fs/promises';
import { MongoClient, type Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replicateKey } from '../../src/lineage/trials/replicates.js';
import { processName } from '../../src/sandbox/host/worker-folders.js';
import { startScriptedServer } from '../model/scripted-server.js';
import { auditOf, violationsOf, type AuditedWorld } from '../workflows/audited.js';
import { assay } from '../workflows/command-lines.js';
import { edit, finish, submit } from '../workflows/script.js';
import { openWorld, type World } from '../workflows/world.js';

interface Row extends Record<string, unknown> {
  _id: string;
}

const NAME = 'audited';
const FROM = 'X = 1.0  # knob: -10..10';

let world: World;
let seen: AuditedWorld;
let mongo: MongoClient;
let database: Db;
/** Every audit made while the campaign ran. */
const whileItRan: string[][] = [];
beforeAll(async () => {
  world = await openWorld();
  const { lineage, client, namespace, env } = world;
  const temporal = { address: env.TEMPORAL_ADDRESS ?? '', namespace };
  seen = { lineage, client, temporal, home: env.ASSAY_HOME ?? '' };
  mongo = await MongoClient.connect(env.ASSAY_MONGODB_URL ?? '');
  database = mongo.db(env.ASSAY_MONGODB_DATABASE ?? '');
  const model = await startScriptedServer([
    edit(FROM, 'X = 2.0  # knob: -10..10'),
    submit('better'),
    edit('X = 2.0', 'X = -4.0'),
    submit('worse'),
    finish,
  ]);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 2 };
  const running = { ends: false };
  const result = (await world.start(NAME, input)).result().finally(() => {
    running.ends = true;
  });
  while (!running.ends)
    if ((await lineage.campaigns.find(NAME)) !== null)
      whileItRan.push(violationsOf(await auditOf(seen, [NAME])));
  await result;
  await fleet.stop();
  await model.stop();
});
afterAll(async () => {
  await mongo.close();
  await world.stop();
});

const rows = (collection: string) => database.collection<Row>(collection);

async function documentOf(collection: string, filter: Record<string, unknown>): Promise<Row> {
  const found = await rows(collection).findOne(filter);
  if (found === null) throw new Error(`no such document in ${collection}`);
  return found;
}

/** Changes fields of one document; returns a function that restores them. */
async function change(
  collection: string,
  filter: Record<string, unknown>,
  fields: Record<string, unknown>,
): Promise<() => Promise<void>> {
  const before = await documentOf(collection, filter);
  await rows(collection).updateOne({ _id: before._id }, { $set: fields });
  return async () => {
    await rows(collection).replaceOne({ _id: before._id }, before);
  };
}

const replicateOf = async (trial: number): Promise<Row> => documentOf('replicates', { trial });

/** One corruption for each invariant. */
const CORRUPTIONS: { number: number; what: string; plant: () => Promise<() => Promise<void>> }[] = [
  {
    number: 1,
    what: 'a trial with a status and no outcome',
    plant: () => change('trials', { number: 2 }, { outcome: null }),
  },
  {
    number: 2,
    what: 'a snapshot measured again under the same seed',
    plant: async () => {
      const { _id, ...replicate } = await world.lineage.replicates.get((await replicateOf(1))._id);
      const again = replicateKey({ ...replicate, index: 7 });
      await rows('replicates').insertOne({ ...replicate, index: 7, _id: again });
      return async () => {
        await rows('replicates').deleteOne({ _id: again });
      };
    },
  },
  {
    number: 3,
    what: 'a reply that was used and is not stored',
    plant: async () => {
      const reply = await documentOf('replies', { turn: 1 });
      await rows('replies').deleteOne({ _id: reply._id });
      return async () => {
        await rows('replies').insertOne(reply);
      };
    },
  },
  {
    number: 4,
    what: 'a result of an attempt that had been overtaken',
    plant: () => change('replicates', { trial: 1 }, { 'evaluated.fence': 1, 'trained.fence': 2 }),
  },
  {
    number: 5,
    what: 'a training process that keeps running after its result',
    plant: async () => {
      const [worker, { _id: key }] = [await processName(process.pid), await replicateOf(1)];
      const run = `${worker}/${key}/1/train`;
      const child = spawn('sleep', ['600'], { env: { PATH: process.env.PATH, ASSAY_RUN: run } });
      await new Promise((resolve) => child.once('spawn', resolve));
      return async () => {
        child.kill('SIGKILL');
        await new Promise((resolve) => child.once('exit', resolve));
      };
    },
  },
  {
    number: 6,
    what: 'a budget that holds more than was spent',
    plant: async () => {
      const { owner } = await world.campaign(NAME);
      const { held } = await world.lineage.budgets.get(owner);
      return change('budgets', { _id: owner }, { 'held.acceleratorMs': held.acceleratorMs + 1 });
    },
  },
  {
    number: 7,
    what: 'a decision whose difference does not follow from its scores',
    plant: async () => {
      const decision = await world.lineage.decisions.of((await world.campaign(NAME)).owner, 2);
      return change('decisions', { trial: 2 }, { 'result.delta': Number(decision?.result.delta) + 1e-6 });
    },
  },
  {
    number: 8,
    what: 'bytes of an artifact that were changed',
    plant: async () => {
      const { trained } = await world.lineage.replicates.get((await replicateOf(1))._id);
      const digest = trained?.artifact?.files[0]?.sha256;
      return change('blobs', { _id: digest }, { inline: Buffer.from('{"x": 3.0}') });
    },
  },
];

const violated = async (): Promise<number[]> => {
  const { invariants } = await auditOf(seen, [NAME]);
  return invariants.filter(({ violations }) => violations.length > 0).map(({ number }) => number);
};

describe('assay audit', () => {
  it('finds nothing in a campaign, at any moment of its run and after it', async () => {
    expect(whileItRan.length).toBeGreaterThan(3);
    expect(whileItRan.flat()).toEqual([]);
    const model = await auditOf(seen, [NAME]);
    expect(violationsOf(model)).toEqual([]);
    const counts = Object.fromEntries(model.invariants.map(({ number, examined }) => [number, examined]));
    expect(counts).toMatchObject({
      1: { trials: 3, 'open trials': 0, workflows: 0 },
      2: { measurements: 3, numbers: 3 },
      3: { turns: 4, replies: 4, requests: 4 },
      4: { measurements: 3, results: 6 },
      5: { 'registered work': 0, 'own processes': 0 },
      6: { reservations: 0 },
      7: { decisions: 3 },
    });
    expect(counts[8]?.trees).toBeGreaterThan(6);
    expect(counts[8]?.bytes).toBeGreaterThan(1000);
  });

  it.each(CORRUPTIONS)('finds $what by invariant $number alone', async ({ number, plant }) => {
    const restore = await plant();
    try {
      expect(await violated()).toEqual([number]);
    } finally {
      await restore();
    }
    expect(await violated()).toEqual([]);
  });

  it('finds a folder that a dead worker has left, whichever campaign it worked for', async () => {
    const folder = join(seen.home, 'work', '4194999-1', 'check-0');
    await mkdir(folder, { recursive: true });
    expect(violationsOf(await auditOf(seen, []))).toEqual([
      expect.stringContaining('5 - folder of worker 4194999-1: the worker is dead') as string,
    ]);
    await rm(join(seen.home, 'work', '4194999-1'), { recursive: true });
  });

  it('finds a document without its shape where that kind is looked at', async () => {
    const restore = await change('decisions', { trial: 2 }, { inputs: null });
    expect(await violated()).toEqual([7]);
    await restore();
  });

  it('is a command that exits with 1 for a violation and says what was not examined', async () => {
    const clean = await assay(world, 'audit', NAME);
    expect(clean).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('all eight invariants hold') as string,
    });
    expect(clean.stdout.match(/^\d {2}holds/gm)).toHaveLength(8);
    expect(clean.stdout).toMatch(/not examined: processes and folders of other hosts/);
    const restore = await change('trials', { number: 2 }, { outcome: null });
    const found = await assay(world, 'audit', '--json');
    expect(found.code).toBe(1);
    expect(JSON.parse(found.stdout)).toMatchObject({
      schema: 'assay.audit/1',
      ok: false,
      campaigns: [NAME],
      invariants: expect.arrayContaining([
        expect.objectContaining({
          number: 1,
          violations: [{ campaign: NAME, about: 't00002', says: 'it is discard without an outcome' }],
        }),
      ]) as unknown[],
    });
    const away = await assay(
      { ...world, env: { ...world.env, TEMPORAL_ADDRESS: '127.0.0.1:9' } },
      'audit',
      NAME,
    );
    expect(away).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/not examined: workflows: /) as string,
    });
    await restore();
    expect(await assay(world, 'audit', 'nobody')).toMatchObject({ code: 2 });
  });
});
