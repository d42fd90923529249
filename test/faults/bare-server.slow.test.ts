import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScriptedServer } from '../model/scripted-server.js';
import { submit, turnKnob } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { openOwnTemporal, type OwnServer } from './own-servers.js';

const AWAY_MS = 90_000;

let temporal: OwnServer;
let world: World;
beforeAll(async () => {
  temporal = await openOwnTemporal();
  world = await openWorld({ temporalAddress: temporal.address });
});
afterAll(async () => {
  await world.stop();
  await temporal.stop();
});

it('completes a campaign on a server that knows no search attribute and no setting of ours', async () => {
  const worker = world.worker();
  await worker.ready;
  const handle = await world.start('bare', { task: 'tiny', trials: 2, model: 'offline-proposer' });
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 2, ended: 2 });
  expect((await world.campaign('bare')).frozen.attributes).toEqual([]);
  const { memo } = await world.client.workflow.getHandle('bare/t00001').describe();
  expect(memo).toMatchObject({ trial: 1, role: expect.any(String) as unknown });
  await worker.kill('SIGKILL');
}, 240_000);

it('trains once when the server is away for 90 s from before the end of training, with the default heartbeat timeout', async () => {
  const slow = 'X = 2.0  # knob: -10..10\nSLEEP = 10.0';
  const model = await startScriptedServer([
    turnKnob('X = 1.0  # knob: -10..10\nSLEEP = 0.0', slow),
    submit('slow but better'),
  ]);
  const worker = world.worker({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  await worker.ready;
  const input = { task: 'tiny', model: 'scripted', specialists: ['solo'], trials: 1 };
  const handle = await world.start('away', input);
  await until('training to begin', async () => {
    const campaign = await world.campaign('away').catch(() => null);
    return (
      Object.values(campaign?.active ?? {}).some((work) => work.trial === 1 && work.what === 'train') || null
    );
  });
  await temporal.server.kill();
  const gone = Date.now();
  const { owner } = await world.campaign('away');
  const key = await until('training to end while the server is away', async () => {
    const trial = await world.lineage.trials.require(owner, 1);
    const [replicate] = await world.lineage.replicates.many(trial.replicates);
    return replicate?.trained == null ? null : replicate._id;
  });
  await sleep(Math.max(0, gone + AWAY_MS - Date.now()));
  await temporal.server.restart();

  expect(await handle.result()).toMatchObject({ state: 'finished', ended: 1, bestScore: 1 });
  const replicate = await world.lineage.replicates.get(key);
  expect([replicate.trained?.fence, replicate.faults]).toEqual([1, []]);
  const rows = await world.lineage.budgets.rows(owner, 100);
  expect(rows.filter((row) => row.trial === 1).map((row) => [row.what, row.certainty])).toEqual([
    ['train', 'known'],
  ]);
  expect((await world.trials('away')).map((trial) => trial.status)).toEqual(['keep']);
  model.assertDone();
  await worker.kill('SIGKILL');
  await model.stop();
}, 480_000);
