import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScriptedServer } from '../model/scripted-server.js';
import { submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

it('finishes a trial once, under its number and without paying a turn again, after kill -9 of the only worker in mid-training', async () => {
  const slow = 'X = 2.0  # knob: -10..10\nSLEEP = 6.0';
  const model = await startScriptedServer([
    turnKnob('X = 1.0  # knob: -10..10\nSLEEP = 0.0', slow),
    submit('slow but better'),
  ]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  const first = world.worker(env);
  await first.ready;
  const input = {
    task: 'tiny',
    model: 'scripted',
    specialists: ['solo'],
    trials: 1,
    trainHeartbeatSeconds: 10,
  };
  const handle = await world.start('killed', input);
  await until('training to begin', async () => {
    const campaign = await world.campaign('killed').catch(() => null);
    return (
      Object.values(campaign?.active ?? {}).some((work) => work.trial === 1 && work.what === 'train') || null
    );
  });
  await first.kill('SIGKILL');
  const paid = model.requests.length;

  const second = world.worker(env);
  const summary: unknown = await handle.result();
  expect(summary).toMatchObject({ state: 'finished', submitted: 1, counted: 1, ended: 1 });
  expect(model.requests).toHaveLength(paid);
  model.assertDone();
  const [trial, ...others] = await world.trials('killed');
  expect(others).toEqual([]);
  expect(trial).toMatchObject({ number: 1, status: 'keep' });
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  expect(replicate?.trained?.fence).toBe(2);
  expect(replicate?.faults.map((fault) => fault.reason)).toEqual(['the attempt was lost with its worker']);
  const { owner, active } = await world.campaign('killed');
  expect(active).toEqual({});
  const budget = await world.lineage.budgets.get(owner);
  expect(budget.open).toEqual({});
  const trainings = (await world.lineage.budgets.rows(owner, 100)).filter(
    (row) => row.trial === 1 && row.what === 'train',
  );
  expect(trainings.map((row) => row.certainty)).toEqual(['unknown', 'known']);
  await second.kill('SIGTERM');
  await model.stop();
});
