import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorld, trains, until, type World } from '../workflows/world.js';
import { startEndlessModel, type EndlessModel } from './endless-model.js';
import { openOwnStore, type OwnServer } from './own-servers.js';

const AWAY_MS = 60_000;
const TRIALS = 6;

let store: OwnServer;
let world: World;
let model: EndlessModel;
beforeAll(async () => {
  store = await openOwnStore();
  world = await openWorld({ storeUrl: store.address });
  model = await startEndlessModel((n) => ({ path: 'train.py', text: recipe(n) }));
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await store.stop();
});

const recipe = (n: number): string => `
import json, os, time
time.sleep(2)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": ${1 + n / 10}}, file)
`;

it('loses nothing and repeats no training when the store is killed and away for 60 s in the midst of a campaign', async () => {
  const worker = world.worker({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  await worker.ready;
  const handle = await world.start('storeless', {
    task: 'tiny',
    model: 'endless',
    specialists: ['solo', 'duo'],
    trials: TRIALS,
  });
  await until('the second training to run', async () => {
    const campaign = await world.campaign('storeless').catch(() => null);
    return trains(campaign, 2) || null;
  });
  const { owner } = await world.campaign('storeless');
  const before = await world.trials('storeless');
  await sleep(500);
  await store.server.kill();
  await sleep(AWAY_MS);
  await store.server.restart();

  expect(await handle.result()).toMatchObject({ state: 'finished', counted: TRIALS, ended: TRIALS });
  const trials = await world.trials('storeless');
  expect(trials.map((trial) => trial.number)).toEqual([1, 2, 3, 4, 5, 6]);
  for (const { status, outcome } of trials) {
    expect(['keep', 'discard']).toContain(status);
    expect(outcome?.score).toBeGreaterThan(0);
  }
  for (const [index, { snapshot, submitKey }] of before.entries())
    expect(trials[index]).toMatchObject({ snapshot, submitKey });
  const rows = await world.lineage.budgets.rows(owner, 1000);
  const trainings = rows.filter((row) => row.what === 'train' && row.trial !== 0);
  expect(trainings.map((row) => row.trial).sort()).toEqual([1, 2, 3, 4, 5, 6]);
  expect(new Set(trainings.map((row) => row.certainty))).toEqual(new Set(['known']));
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  await worker.kill('SIGKILL');
}, 480_000);
