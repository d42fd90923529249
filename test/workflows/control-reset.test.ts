import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startScriptedServer, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { assay, assayJson, begun, leftOpen, NOTHING_OPEN, temporal, training } from './command-lines.js';
import { submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';
const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 12.0';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

async function withScript(
  script: ScriptStep[],
  run: (model: ScriptedServer) => Promise<void>,
): Promise<void> {
  const model = await startScriptedServer(script);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  try {
    await run(model);
    model.assertDone();
  } finally {
    await fleet.stop();
    await model.stop();
  }
}

const SLOW_TRIAL = [turnKnob(START, SLOW), submit('slow')];

const start = (name: string) =>
  world.start(name, { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 1 });

const resetAnswer = z.object({ schema: z.literal('assay.reset/1'), newRunId: z.string(), event: z.number() });

/** Ended as if nothing had been reset: the one trial under its number, trained so often, every turn paid once. */
async function endedOnce(name: string, model: ScriptedServer, trainings = 1): Promise<void> {
  await until(`${name} to finish`, async () =>
    (await world.campaign(name)).state === 'finished' ? true : null,
  );
  expect(await world.client.workflow.getHandle(name).result()).toMatchObject({
    state: 'finished',
    reason: 'trials (1 of 1)',
    submitted: 1,
    ended: 1,
    frontier: 't00001',
  });
  expect((await world.trials(name)).map(({ number, status }) => [number, status])).toEqual([[1, 'keep']]);
  expect(await begun(world, name, 1)).toBe(trainings);
  expect(model.requests).toHaveLength(SLOW_TRIAL.length);
  const { owner } = await world.campaign(name);
  const rows = await world.lineage.budgets.rows(owner, 100);
  expect(rows.filter(({ what }) => what === 'model')).toHaveLength(SLOW_TRIAL.length);
  expect(await leftOpen(world, name)).toEqual(NOTHING_OPEN);
}

it('of a lane to before its submit asks no model, takes no number and trains nothing again', async () => {
  await withScript(SLOW_TRIAL, async (model) => {
    await start('lane');
    await training(world, 'lane', 1);
    resetAnswer.parse(await assayJson(world, 'reset', 'lane/solo-1', '--to', 'first', '--reason', 'a test'));
    await endedOnce('lane', model);
  });
});

it('of a campaign waits for the lanes and trials of its former run and ends as it would have', async () => {
  await withScript(SLOW_TRIAL, async (model) => {
    await start('whole');
    await training(world, 'whole', 1);
    await temporal(
      world,
      ...['workflow', 'reset', '--workflow-id', 'whole', '--type', 'FirstWorkflowTask', '--reason', 'a test'],
    );
    await endedOnce('whole', model);
  });
});

it('of a campaign that is stopped afterwards also ends what its former run had started', async () => {
  await withScript(SLOW_TRIAL, async () => {
    await start('stopped');
    await training(world, 'stopped', 1);
    await assayJson(world, 'reset', 'stopped', '--to', 'first');
    await until('the new run to wait', async () => {
      const { pendingActivities } = (await world.client.workflow.getHandle('stopped').describe()).raw;
      return pendingActivities?.some(({ activityType }) => activityType?.name === 'awaitClosed')
        ? true
        : null;
    });
    await assayJson(world, 'stop', 'stopped', '--now');
    await until('it to stop', async () =>
      (await world.campaign('stopped')).state === 'stopped' ? true : null,
    );
    expect((await world.trials('stopped')).map(({ status }) => status)).toEqual(['cancelled']);
    expect(await leftOpen(world, 'stopped')).toEqual(NOTHING_OPEN);
  });
});

it('of a trial in training repeats that training and nothing else; of an ended one, nothing', async () => {
  await withScript(SLOW_TRIAL, async (model) => {
    await start('trial');
    await training(world, 'trial', 1);
    await assayJson(world, 'reset', 'trial/1', '--to', 'first');
    await endedOnce('trial', model, 2);
    const { endedAt } = (await world.trials('trial'))[0] ?? {};
    await temporal(
      world,
      ...[
        'workflow',
        'reset',
        '--workflow-id',
        'trial/t00001',
        '--type',
        'FirstWorkflowTask',
        '--reason',
        'x',
      ],
    );
    await world.client.workflow.getHandle('trial/t00001').result();
    await endedOnce('trial', model, 2);
    expect((await world.trials('trial'))[0]?.endedAt).toEqual(endedAt);
  });
});

it('of a campaign that had ended ends it in the same way, without doing anything', async () => {
  await withScript([], async (model) => {
    const before = await world.campaign('lane');
    for (const to of ['first', 'last-task']) {
      await assayJson(world, 'reset', 'lane', '--to', to);
      const result: unknown = await world.client.workflow.getHandle('lane').result();
      expect(result).toMatchObject({ state: before.state, reason: before.reason });
    }
    expect(await world.campaign('lane')).toEqual(before);
    expect(model.requests).toEqual([]);
  });
  const [wrong, unknown] = await Promise.all([
    assay(world, 'reset', 'lane', '--to', 'tomorrow'),
    assay(world, 'reset', 'nope', '--to', 'first'),
  ]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--to takes first, last-task or')]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there is no workflow "nope"')]);
});
