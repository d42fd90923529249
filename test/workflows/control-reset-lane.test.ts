import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { assayJson, pushPatientTask, temporal, training } from './command-lines.js';
import { endedOnce, SLOW_TRIAL, startOne, withScript } from './one-trial.js';
import { openWorld, type World } from './world.js';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await pushPatientTask(world);
});
afterAll(() => world.stop());

const resetAnswer = z.object({ schema: z.literal('assay.reset/1'), newRunId: z.string(), event: z.number() });

it('of a lane to before its submit asks no model, takes no number and trains nothing again', async () => {
  await withScript(world, SLOW_TRIAL, async (model) => {
    await startOne(world, 'lane');
    await training(world, 'lane', 1);
    resetAnswer.parse(await assayJson(world, 'reset', 'lane/solo-1', '--to', 'first', '--reason', 'a test'));
    expect((await world.trials('lane'))[0]?.status).toBeNull();
    await endedOnce(world, 'lane', model);
  });
});

it('of a trial in training repeats that training and nothing else; of an ended one, nothing', async () => {
  const again = ['workflow', 'reset', '--workflow-id', 'trial/t00001', '--type', 'FirstWorkflowTask'];
  again.push('--reason', 'a test');
  await withScript(world, SLOW_TRIAL, async (model) => {
    await startOne(world, 'trial');
    await training(world, 'trial', 1);
    await temporal(world, ...again);
    expect((await world.trials('trial'))[0]?.status).toBeNull();
    await endedOnce(world, 'trial', model, 2);
    const { endedAt } = (await world.trials('trial'))[0] ?? {};
    resetAnswer.parse(await assayJson(world, 'reset', 'trial/1', '--to', 'first'));
    await world.client.workflow.getHandle('trial/t00001').result();
    await endedOnce(world, 'trial', model, 2);
    expect((await world.trials('trial'))[0]?.endedAt).toEqual(endedAt);
  });
});
