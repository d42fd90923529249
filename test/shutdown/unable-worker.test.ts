import { afterAll, beforeAll, expect, it } from 'vitest';
import { assay } from '../bad-input/assay.js';
import { openWorld, type World } from '../workflows/world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

// a worker that was made for a queue and never ran kept its process alive for ever
it.each(['orchestrator', 'trainer'])('an %s that cannot work on this host ends by itself', async (role) => {
  const roles = [...new Set([role, 'trainer'])];
  const { exitCode, stderr } = await assay(['worker', ...roles], { ...world.env, ASSAY_TIER: 'A' });
  expect(stderr).toContain('isolation tier A is unavailable');
  expect(exitCode).toBe(3);
});
