import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { submit, turnKnob } from './script.js';
import { openWorld, trains, until, type World } from './world.js';

const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 40.0';
const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer([turnKnob(START, SLOW), submit('slow')]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

async function inState(name: string, state: string): Promise<void> {
  await until(`${name} to be ${state}`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.state === state || null;
  });
}

it('starts nothing while paused, and continues to its end when resumed', async () => {
  const handle = await world.start('pausing', { task: 'tiny', trials: 3, model: 'offline-proposer' });
  await inState('pausing', 'running');
  await handle.signal('pause', 'lunch');
  await inState('pausing', 'paused');
  const before = await until('running work to end', async () => {
    const campaign = await world.campaign('pausing');
    return Object.keys(campaign.active).length === 0 ? campaign : null;
  });
  expect(before.controlReason).toBe('lunch');
  const replicates = (await world.trials('pausing')).flatMap((trial) => trial.replicates);
  const trained = async (): Promise<number> =>
    (await world.lineage.replicates.many(replicates)).filter((replicate) => replicate.trained !== null)
      .length;
  const count = await trained();
  await sleep(3000);
  expect(await trained()).toBe(count);
  expect(Object.keys((await world.campaign('pausing')).active)).toEqual([]);
  await handle.signal('resume');
  await handle.result();
  expect(await world.campaign('pausing')).toMatchObject({ state: 'finished' });
  expect((await world.trials('pausing')).every((trial) => trial.status !== null)).toBe(true);
});

it('lets accepted trials end when stopped by draining, and takes no more', async () => {
  const handle = await world.start('draining', { task: 'tiny', trials: 500, model: 'offline-proposer' });
  await until('a trial', async () =>
    (await world.trials('draining').catch(() => [])).length > 0 ? true : null,
  );
  await handle.signal('stop', 'drain');
  await handle.result();
  expect(await world.campaign('draining')).toMatchObject({ state: 'stopped' });
  const trials = await world.trials('draining');
  expect(trials.every((trial) => trial.status !== null && trial.status !== 'cancelled')).toBe(true);
});

it('ends training at once when stopped now, and records the trial as cancelled after its process is dead', async () => {
  const handle = await world.start('stopping', {
    task: 'tiny',
    trials: 5,
    model: 'scripted',
    specialists: ['solo'],
  });
  await until('the slow training', async () => {
    const campaign = await world.campaign('stopping').catch(() => null);
    return trains(campaign, 1) || null;
  });
  await handle.signal('stop', { mode: 'now' });
  const summary: unknown = await handle.result();
  expect(summary).toMatchObject({ state: 'stopped' });
  const [trial] = await world.trials('stopping');
  expect(trial?.status).toBe('cancelled');
  const { owner, active } = await world.campaign('stopping');
  expect(active).toEqual({});
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  expect(replicate?.trained).toBeNull();
  expect(replicate?.holder).toBeNull();
  model.assertDone();
});
