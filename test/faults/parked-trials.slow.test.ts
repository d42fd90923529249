import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { assay, assayJson } from '../workflows/command-lines.js';
import { edit, submit, turnKnob } from '../workflows/script.js';
import { openWorld, until, type World, type WorkerProcess } from '../workflows/world.js';

const NAME = 'parks';
const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';
/** Long enough for its worker to be killed meanwhile. */
const SLOW = { 2: 'X = 2.0  # knob: -10..10\nSLEEP = 15.0', 4: 'X = 4.0  # knob: -10..10\nSLEEP = 15.0' };
const SLOWER = 'X = 5.0  # knob: -10..10\nSLEEP = 15.0';
const QUICK = { 2: 'X = 2.5  # knob: -10..10\nSLEEP = 0.0', 3: 'X = 3.0  # knob: -10..10\nSLEEP = 0.0' };

let world: World;
let model: ScriptedServer;
/** Trials that take each worker with them that trains them. */
const deadly = new Set([1, 3, 4]);
/** The attempts under which a worker was killed. */
const killed: { trial: number; fence: number }[] = [];
let trainer: WorkerProcess;
let over = false;

/** Kills a worker with kill -9 whenever it trains such a trial, where a recipe cannot do it itself. */
async function reap(env: Record<string, string>): Promise<void> {
  while (!over) {
    const campaign = await world.campaign(NAME).catch(() => null);
    // the work of the dead is shown until a worker takes it over
    const attempt = Object.values(campaign?.active ?? {}).find(
      ({ what, trial, fence }) =>
        what === 'train' &&
        deadly.has(trial) &&
        !killed.some((before) => before.trial === trial && before.fence === fence),
    );
    if (attempt !== undefined) {
      await trainer.kill('SIGKILL');
      killed.push({ trial: attempt.trial, fence: attempt.fence });
      trainer = world.worker(env, ['trainer']);
      await trainer.ready;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function statusOf(number: number): Promise<string | null> {
  const { owner } = await world.campaign(NAME);
  return (await world.lineage.trials.get(owner, number))?.status ?? null;
}

/** Reads and acts as a person does, while the lane is at its last idea. */
async function aPersonActs(): Promise<void> {
  const { stall, state, open } = await statusModel(world.lineage, NAME);
  expect(state).toBe('running');
  expect(open.map(({ number, stage }) => [number, stage])).toEqual([
    [1, 'parked'],
    [3, 'parked'],
    [4, 'parked'],
  ]);
  expect(stall.filter(({ what }) => what === 'parked').map(({ about }) => about)).toEqual([
    ['t00001'],
    ['t00003'],
    ['t00004'],
  ]);
  expect(stall[0]?.text).toMatch(
    /^t00001 is parked: 3 workers were lost with it \(train on host, train on host, train on host\)$/,
  );
  expect(stall[0]?.remedy).toMatch(/`assay resume parks\/t00001` .* `assay cancel parks\/t00001`/);
  const table = (await assay(world, 'trials', NAME)).stdout;
  expect(table).toMatch(/t00001 .* parked /);
  deadly.delete(1);
  expect(await assayJson(world, 'resume', `${NAME}/t00001`)).toMatchObject({ trial: 't00001' });
  await until('the resumed trial to end', () => statusOf(1), 240);
  expect((await assay(world, 'resume', `${NAME}/t00001`)).stderr).toContain('is not parked: it is discard');
  expect(await assayJson(world, 'cancel', `${NAME}/t00003`, '--reason', 'it eats memory')).toMatchObject({
    status: 'cancelled',
    cancelledBy: 'a person: it eats memory',
  });
}

beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer([
    turnKnob(START, SLOW[2]),
    submit('takes its workers with it, and is resumed'),
    turnKnob(SLOW[2], QUICK[2]),
    submit('is fine'),
    turnKnob(QUICK[2], SLOW[4]),
    submit('takes its workers with it, and is cancelled'),
    turnKnob(SLOW[4], SLOWER),
    submit('takes its workers with it, and is left alone'),
    async () => {
      await aPersonActs();
      return edit(SLOWER, QUICK[3]);
    },
    submit('is fine as well'),
  ]);
});
afterAll(async () => {
  over = true;
  await world.stop();
  await model.stop();
});

it('a trial that takes three workers with it waits for a person, and its campaign continues without it', async ({
  skip,
}) => {
  const { isolation } = await openSandbox();
  if (isolation.pid !== 'enforced') skip(`at tier ${isolation.tier} such a trial ends as a crash`);
  const env = {
    ASSAY_HOST: 'host',
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'test-key',
  };
  await world.worker(env, ['orchestrator', 'model', 'evaluator']).ready;
  trainer = world.worker(env, ['trainer']);
  await trainer.ready;
  const input = { task: 'tiny', model: 'scripted', specialists: ['solo'] };
  const handle = await world.start(NAME, { ...input, trials: 5, trainHeartbeatSeconds: 5 });
  const reaping = reap(env);
  const summary: unknown = await handle.result();
  over = true;
  await reaping;
  model.assertDone();
  expect(killed).toEqual([1, 3, 4].flatMap((trial) => [1, 2, 3].map((fence) => ({ trial, fence }))));
  expect(summary).toMatchObject({ state: 'finished', submitted: 5, ended: 5 });
  const trials = await world.trials(NAME);
  expect(trials.map(({ status }) => status)).toEqual(['discard', 'keep', 'cancelled', 'cancelled', 'keep']);
  expect(trials[3]?.outcome?.cancelledBy).toMatch(/^it was parked until the end \(3 workers were lost/);
  // the lane got the answer, and continued at once
  const told = model.requests.flatMap(({ body }) => JSON.stringify(body.messages.at(-1)));
  expect(told.filter((text) => /trial \d: parked/.test(text))).toHaveLength(3);
}, 900_000);
