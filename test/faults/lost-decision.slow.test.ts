import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startScriptedServer } from '../model/scripted-server.js';
import { submit, turnKnob } from '../workflows/script.js';
import { openWorld, type World } from '../workflows/world.js';
import { openStoreGate, type StoreGate } from './store-gate.js';

let world: World;
let gate: StoreGate;
beforeAll(async () => {
  world = await openWorld();
  gate = await openStoreGate(inject('storeUrl'));
});
afterAll(async () => {
  await world.stop();
  await gate.stop();
});

/**
 * The worker reaches the store through a gate that shuts in front of the write of the trial's status. The decision is
 * stored by then and has moved the frontier, so a retry that decided again would find the trial no better than itself.
 */
it('keeps a decision when kill -9 hits between its compare-and-set and the end of its activity', async () => {
  const model = await startScriptedServer([
    turnKnob('X = 1.0  # knob: -10..10', 'X = 2.0  # knob: -10..10'),
    submit('better'),
  ]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  const first = world.worker({ ...env, ASSAY_MONGODB_URL: gate.url });
  await first.ready;
  const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 1 };
  gate.holdAt('update', 'trials', 'outcome', '/1\0');
  const handle = await world.start('deciding', input);
  await gate.held();
  const { owner } = await world.campaign('deciding');
  const decision = await world.lineage.decisions.of(owner, 1);
  expect(decision).toMatchObject({ trial: 1, result: { adopt: true }, frontier: { version: 2 } });
  expect((await world.lineage.trials.require(owner, 1)).status).toBeNull();
  await first.kill('SIGKILL');

  const second = world.worker(env);
  expect(await handle.result()).toMatchObject({ state: 'finished', frontier: 't00001', bestScore: 1 });
  const [trial] = await world.trials('deciding');
  expect(trial).toMatchObject({ status: 'keep', outcome: { score: 1, decision: decision?._id } });
  expect(await world.lineage.decisions.of(owner, 1)).toEqual(decision);
  expect((await world.lineage.decisions.frontier(owner))?.frontier.version).toBe(2);
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  expect([replicate?.trained?.fence, replicate?.faults]).toEqual([1, []]);
  model.assertDone();
  await second.kill('SIGTERM');
  await model.stop();
});
