import { afterAll, beforeAll, expect, it } from 'vitest';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { pushTask } from '../bad-input/test-task.js';
import { seeded } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { edit, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

/** The luckier the seed, the better it scores; no run depends on the seed that it is given. */
const LUCK = `
import json, os
SEED = 1
STEP = 0.25  # knob: 0.1..2
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": SEED * STEP}, file)
`;
const FILES = { 'recipe/train.py': LUCK };

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  await pushTask(world, 'declared', (yaml) => yaml, FILES);
  await pushTask(world, 'undeclared', seeded, FILES);
  model = await startScriptedServer([
    edit('SEED = 1', 'SEED = 2'),
    submit('a luckier seed'),
    edit('STEP = 0.25', 'STEP = 0.75'),
    submit('larger steps, on top of it'),
    edit('STEP = 0.25', 'STEP = 0.5'),
    submit('larger steps'),
  ]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const INPUT = { model: 'scripted', specialists: ['solo'], rule: 'posterior' };

async function runsOf(name: string): Promise<number[]> {
  const { owner } = await world.campaign(name);
  const start = await world.lineage.trials.require(owner, 0);
  return [start, ...(await world.trials(name))].map(({ replicates }) => replicates.length);
}

it('runs each recipe once where the task is deterministic, and adopts no other seed', async () => {
  const handle = await world.start('declared-1', { ...INPUT, task: 'declared', trials: 2 });
  expect(await handle.result()).toMatchObject({ state: 'finished', frontier: 't00002' });
  expect(await runsOf('declared-1')).toEqual([1, 1, 1]);
  const [luckier, better] = await world.trials('declared-1');
  expect(luckier).toMatchObject({ status: 'discard', outcome: { labels: ['seed-only'] } });
  expect(luckier?.outcome?.lesson).toMatch(/: not adopted, it changes nothing but a seed \(seed-only\)$/);
  expect(better).toMatchObject({ status: 'keep', outcome: { labels: [] } });
  const shown = await trialRecord(world.lineage, 'declared-1', 1);
  expect(shown).toMatchObject({ labels: ['seed-only'], decision: { adopt: false, noise: null } });
}, 120_000);

it('blocks a search whose start shows no noise, and continues by single runs when a person wants it', async () => {
  const handle = await world.start('undeclared-1', { ...INPUT, task: 'undeclared', trials: 1 });
  const blocked = await until('the campaign to be blocked', async () => {
    const campaign = await world.campaign('undeclared-1').catch(() => null);
    return campaign?.state === 'blocked' ? campaign : null;
  });
  expect(blocked.reason).toMatch(
    /^the 5 runs of the start .* all scored 7\.5625, .* declare `replicate: \{ deterministic: true \}` .* ASSAY_SEED; resume .* judged by a single run$/,
  );
  expect(await world.trials('undeclared-1')).toEqual([]);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ state: 'finished', frontier: 't00001' });
  expect(await runsOf('undeclared-1')).toEqual([5, 1]);
  const start = await trialRecord(world.lineage, 'undeclared-1', 0);
  expect(start.labels).toEqual(['seed-fixed']);
  model.assertDone();
}, 120_000);

it.each([
  [
    { task: 'declared', calibration: 3 },
    'calibration: the task "declared" declares `replicate: { deterministic: true }`: each run of a recipe measures the same, so 1 run of the start is all there is',
  ],
  [
    { task: 'declared', calibration: 2, rule: 'greedy' },
    'calibration: the task "declared" declares `replicate: { deterministic: true }`',
  ],
  [
    { task: 'undeclared', calibration: 1 },
    '"greedy" needs 1, and so does a task whose recipes measure the same under every seed and which declares `replicate: { deterministic: true }`',
  ],
])('refuses %j', async (input, reason) => {
  const name = `refused-${input.task}-${input.calibration}`;
  const handle = await world.start(name, { ...INPUT, ...input });
  const failed: unknown = await handle.result().catch((error: unknown) => error);
  expect(String(failed instanceof Error ? failed.cause : failed)).toContain(reason);
});

it('takes one run of the start where a single run is named as well', async () => {
  const input = { ...INPUT, task: 'declared', calibration: 1, trials: 1, model: 'offline-proposer' };
  await (await world.start('declared-2', input)).result();
  expect(await runsOf('declared-2')).toEqual([1, 1]);
}, 120_000);
