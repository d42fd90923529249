import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { TINY } from '../fixtures/tiny.js';
import { runHere } from '../bad-input/assay.js';
import { pushTask } from '../bad-input/test-task.js';
import { OFFLINE_MODEL } from '../../src/model/pricing.js';
import { openWorld, until, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await pushTask(world, 'crashing', (yaml) => yaml, { 'recipe/train.py': 'X = {}\nprint(X["lost"])\n' });
  await pushTask(world, 'knobless', (yaml) => yaml, {
    'recipe/train.py':
      'import json, os\nwith open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": 1}, file)\n',
  });
  await world.fleet();
});
afterAll(() => world.stop());

const OFFLINE = { model: OFFLINE_MODEL, specialists: ['solo'], trials: 4 };
const ended = (name: string) =>
  until(`${name} to end`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.endedAt == null ? null : campaign;
  });

it('a crash of the start is told with its traceback, wherever it is told', async () => {
  await world.start('crashes', { ...OFFLINE, task: 'crashing' });
  expect((await ended('crashes')).state).toBe('failed');

  for (const args of [
    ['status', 'crashes'],
    ['watch', 'crashes'],
    ['show', 'crashes/t00000'],
    ['log', 'crashes/t00000'],
    ['submit', '--task', 'crashing', '--recipe', `${TINY}/recipe`, '--hypothesis', 'x', '--wait'],
  ]) {
    const { stdout, stderr } = await runHere(args, world.env);
    expect(`${stdout}${stderr}`, args.join(' ')).toMatch(/Traceback[^]*KeyError: 'lost'/);
  }
});

it('a campaign that ends without a trial says why', async () => {
  await world.start('silent', { ...OFFLINE, task: 'knobless' });
  expect(await ended('silent')).toMatchObject({
    state: 'finished',
    reason: 'no lane proposed a trial: solo-1: finished: The recipe has no marked knob to turn.',
  });
});
