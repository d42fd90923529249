import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { LOOKUP } from '../fixtures/tiny.js';
import { lookupTable, startLookupModel, LARGE, type LookupTable } from '../model/lookup-model.js';
import type { ScriptedServer } from '../model/scripted-server.js';
import { lookupOutcome } from './lookup-outcome.js';
import { openWorld, type World } from './world.js';

/**
 * A gain of twenty standard deviations of the start, a few edits that show how alike runs are now, and gains of more
 * than three of what is left of them. In 1,500 simulated campaigns of these edits at least three of the five were
 * adopted, and the noise in use was at most 0.07 of the start's.
 */
const EDITS = [
  LARGE,
  ...['nothing-01', 'nothing-02', 'nothing-03', 'nothing-04'],
  ...['gain-20', 'nothing-05', 'gain-19', 'nothing-06', 'gain-18', 'nothing-07'],
  ...['gain-17', 'nothing-08', 'gain-16', 'nothing-09'],
];

let world: World;
let model: ScriptedServer;
let table: LookupTable;
beforeAll(async () => {
  world = await openWorld();
  const { spec, files } = await loadTask(LOOKUP);
  await world.lineage.tasks.push(spec, files, 'person');
  table = await lookupTable();
  model = await startLookupModel(() => EDITS);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

it('hears small gains after a large one that has left the runs much more alike', async () => {
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const trials = EDITS.length;
  const input = { task: 'lookup', model: 'scripted', specialists: ['solo'], trials, rule: 'posterior' };
  expect(await (await world.start('hears', input)).result()).toMatchObject({
    state: 'finished',
    counted: trials,
    ended: trials,
  });
  const { adopted, statuses, believed, truth, noise } = await lookupOutcome(world.lineage, table, 'hears');
  expect(Object.keys(statuses).sort()).toEqual(['discard', 'keep']);
  expect(adopted.large).toBe(true);
  expect(adopted.gains).toBeGreaterThan(0);
  expect(noise).toBeLessThan(table.start.sd / 10);
  expect(Math.abs(believed - truth)).toBeLessThan(table.start.sd / 4);
  await fleet.stop();
}, 600_000);
