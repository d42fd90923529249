import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { startScriptedServer, use, type ScriptedServer } from '../model/scripted-server.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { lacks } from '../lacks.js';

vi.setConfig({ testTimeout: 300_000 });

const { isolation } = await openSandbox();
const held = isolation.fs === 'enforced';
if (!held)
  process.stderr.write(
    `equal trainings are not tested here: files are ${isolation.fs}, so nothing is shared\n`,
  );

const change = (path: string, from: string, to: string) =>
  use(EDIT_TOOL, { command: 'str_replace', path, old_str: from, new_str: to });
const submit = (hypothesis: string) => use('submit_trial', { hypothesis, expected_delta: -1 });

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer([
    {
      blocks: [
        change('train.py', 'X = 1.0', 'X = 2.0'),
        submit('another training'),
        change('notes.txt', 'nothing', 'nobody'),
        submit('the very same training'),
      ],
    },
  ]);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const isOpen = lacks(!held, 'a worker that is killed with what it runs, which nothing holds here');
it.skipIf(isOpen)('takes a training over after kill -9 though its equal is first in the queue', async () => {
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  const first = world.worker(env);
  await first.ready;
  const handle = await world.start('equal', {
    task: 'parts',
    model: 'scripted',
    specialists: ['solo'],
    trials: 2,
    trainHeartbeatSeconds: 10,
  });
  const { trial } = await until('the training with the other in the queue', async () => {
    const campaign = await world.campaign('equal').catch(() => null);
    const works = Object.values(campaign?.active ?? {}).filter(({ what }) => what === 'train');
    const queued = campaign === null ? [] : await world.trials('equal');
    return queued.length === 2
      ? (works.find((work) => work.trial > 0 && work.stage === 'training') ?? null)
      : null;
  });
  await first.kill('SIGKILL');
  const second = world.worker(env);
  await handle.result();
  const trials = await world.trials('equal');
  expect(trials.map(({ status }) => status)).not.toContain('cancelled');
  const [trained] = await world.lineage.replicates.many(
    trials.find((one) => one.number === trial)?.replicates ?? [],
  );
  const [waited] = await world.lineage.replicates.many(
    trials.find((one) => one.number !== trial)?.replicates ?? [],
  );
  expect(trained?.trained).toMatchObject({ fence: 2, sharesTraining: null });
  expect(waited?.trained?.sharesTraining).toBe(trained?._id);
  model.assertDone();
  await second.kill('SIGTERM');
});
