import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  assay,
  assayJson,
  leftOpen,
  NOTHING_OPEN,
  pushPatientTask,
  temporal,
  training,
} from './command-lines.js';
import { ENDLESS, endedOnce, SLOW_TRIAL, START, startOne, withScript } from './one-trial.js';
import { submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await pushPatientTask(world);
});
afterAll(() => world.stop());

it('of a campaign waits for the lanes and trials of its former run and ends as it would have', async () => {
  await withScript(world, SLOW_TRIAL, async (model) => {
    await startOne(world, 'whole');
    await training(world, 'whole', 1);
    await temporal(
      world,
      ...['workflow', 'reset', '--workflow-id', 'whole', '--type', 'FirstWorkflowTask', '--reason', 'a test'],
    );
    expect((await world.trials('whole'))[0]?.status).toBeNull();
    await endedOnce(world, 'whole', model);
  });
});

it('of a campaign that is stopped afterwards also ends what its former run had started', async () => {
  await withScript(world, [turnKnob(START, ENDLESS), submit('endless')], async () => {
    await startOne(world, 'stopped');
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

it('of a campaign that had ended ends it in the same way, without doing anything', async () => {
  await withScript(world, [], async (model) => {
    const before = await world.campaign('whole');
    for (const to of ['first', 'last-task']) {
      await assayJson(world, 'reset', 'whole', '--to', to);
      const result: unknown = await world.client.workflow.getHandle('whole').result();
      expect(result).toMatchObject({ state: before.state, reason: before.reason });
    }
    expect(await world.campaign('whole')).toEqual(before);
    expect(model.requests).toEqual([]);
  });
  const [wrong, unknown] = await Promise.all([
    assay(world, 'reset', 'whole', '--to', 'tomorrow'),
    assay(world, 'reset', 'nope', '--to', 'first'),
  ]);
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('--to takes first, last-task or')]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('there is no workflow "nope"')]);
});
