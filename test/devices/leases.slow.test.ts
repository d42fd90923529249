import { afterAll, beforeAll, expect, it } from 'vitest';
import { measureDevices, type DevicesFigures } from '../../bench/devices/run.js';
import { Dice } from '../builders/dice.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { openWorld, type World } from '../workflows/world.js';

let model: ScriptedServer;
let worlds: World[];
beforeAll(async () => {
  model = await startScriptedServer(
    Array.from({ length: 100 }, () => () => new Promise<never>(() => undefined)),
  );
  worlds = [];
});
afterAll(async () => {
  for (const world of worlds) await world.stop();
  await model.stop();
});

/** Measures in a world of its own; `bench/devices.ts` does so with 500 trials. */
async function measured(trials: number, killEvery: number, seed: number): Promise<DevicesFigures> {
  const world = await openWorld();
  worlds.push(world);
  const { client, lineage } = world;
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' }, undefined, [
    'orchestrator',
    'model',
  ]);
  const dice = new Dice(seed);
  const env = { ...world.env, ASSAY_TIER: 'E' };
  const asked = { trials, killEvery, atOnce: 8, scale: 0.05, random: () => dice.uniform() };
  const figures = await measureDevices({ client, lineage, env }, { ...asked, say: () => undefined });
  for (const [size] of Object.entries(figures.longestWaitS))
    await client.workflow.getHandle(`x${size}`).signal('stop', 'now');
  for (const [size] of Object.entries(figures.longestWaitS))
    await client.workflow.getHandle(`x${size}`).result();
  return figures;
}

it('trials of mixed sizes on two hosts have their devices for themselves, leave nothing on them, and all end', async () => {
  const { trials, statuses, overlaps, leaked } = await measured(24, 0, 1);
  expect({ trials, overlaps, leaked }).toEqual({ trials: 24, overlaps: 0, leaked: 0 });
  expect((statuses['keep'] ?? 0) + (statuses['discard'] ?? 0)).toBe(24);
}, 300_000);

it('so they do while workers are killed with -9', async () => {
  const { trials, statuses, overlaps, leaked, kills } = await measured(16, 5, 2);
  expect({ trials, overlaps, leaked }).toEqual({ trials: 16, overlaps: 0, leaked: 0 });
  expect(kills).toBeGreaterThan(0);
  expect((statuses['keep'] ?? 0) + (statuses['discard'] ?? 0)).toBe(16);
}, 300_000);
