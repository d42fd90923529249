import { afterAll, beforeAll, expect, it } from 'vitest';
import { TIME_RATIO } from '../../src/domain/task/task.js';
import { pushTask } from '../bad-input/test-task.js';
import { seeded } from '../fixtures/tiny.js';
import { withScript } from './one-trial.js';
import { edit, submit } from './script.js';
import { openWorld, type World } from './world.js';

const RECIPE = `
import json, os, time
SLEEP = 3.0
assert int(os.environ["ASSAY_SEED"]) > 0
time.sleep(SLEEP)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": 1.0}, file)
`;

let world: World;
beforeAll(async () => {
  world = await openWorld();
  const yaml = (tiny: string): string =>
    seeded(tiny).replace(
      /^metric: .*$/m,
      `metric: { name: train_s, unit: s, direction: minimize }\ndecision_metric: ${TIME_RATIO}`,
    );
  await pushTask(world, 'quick', yaml, { 'recipe/train.py': RECIPE });
});
afterAll(() => world.stop());

it('a time is compared with that of the start, trained before or after it on the same lease', async () => {
  await withScript(world, [edit('SLEEP = 3.0', 'SLEEP = 0.1'), submit('sleep less')], async () => {
    const input = { task: 'quick', model: 'scripted', specialists: ['solo'], trials: 1, calibration: 2 };
    await (await world.start('timed', input)).result();
  });
  const { owner } = await world.campaign('timed');
  const start = await world.lineage.trials.require(owner, 0);
  const [quicker] = await world.trials('timed');
  expect(start.outcome?.metrics[TIME_RATIO]).toBeGreaterThan(0.5);
  expect(start.outcome?.metrics[TIME_RATIO]).toBeLessThan(2);
  expect(quicker?.status).toBe('keep');
  expect(quicker?.outcome?.score).toBe(quicker?.outcome?.metrics[TIME_RATIO]);
  expect(quicker?.outcome?.score).toBeLessThan(0.5);
  const replicates = await world.lineage.replicates.many([
    ...start.replicates,
    ...(quicker?.replicates ?? []),
  ]);
  expect(replicates.map(({ index }) => index).sort()).toEqual([0, 0, 1]);
  for (const { trained } of replicates) {
    const run = trained?.runs.find(({ phase }) => phase === 'train');
    expect(run?.startMs).toBeGreaterThan(3000);
    expect(trained?.metrics[TIME_RATIO]).toBe((run?.wallMs ?? 0) / (run?.startMs ?? 1));
    expect(trained?.metrics.train_s).toBe((run?.wallMs ?? 0) / 1000);
  }
});
