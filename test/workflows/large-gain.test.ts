import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadTask } from '../../src/tasks/load.js';
import { LOOKUP } from '../fixtures/tiny.js';
import { lookupTable, startLookupModel, LARGE, type LookupTable } from '../model/lookup-model.js';
import type { ScriptedServer } from '../model/scripted-server.js';
import { lookupOutcome } from './lookup-outcome.js';
import { openWorld, type World } from './world.js';

/** A gain of twenty standard deviations of the start, then gains of three to four of what is left of them. */
const EDITS = [
  LARGE,
  ...['nothing-01', 'gain-20', 'nothing-02', 'gain-19', 'gain-18', 'nothing-03', 'gain-17', 'gain-16'],
  ...['gain-15', 'gain-14', 'gain-13', 'gain-12', 'gain-11'],
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
