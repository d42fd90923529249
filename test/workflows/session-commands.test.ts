import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sessionModel } from '../../src/analysis/read-models/session.js';
import { pushTask } from '../bad-input/test-task.js';
import { startScriptedServer, use, type ScriptedServer } from '../model/scripted-server.js';
import { finish, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

const KEEP = { command: "sed -i 's/^X = .*/X = 3.0  # knob: 0..10/' train.py && cat train.py", keep: true };
const PROBE = { hypothesis: 'X arrives in the output', command: 'python train.py && cat "$ASSAY_OUTPUT"/*' };

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer([
    { blocks: [use('shell', KEEP)] },
    { blocks: [use('probe', PROBE)] },
    submit('X = 3 is the minimum'),
    finish,
  ]);
  await pushTask(world, 'benched', (yaml) => yaml, {});
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

it('a session runs a command, keeps its edit, probes it and submits it', async () => {
  const input = { task: 'benched', model: 'scripted', specialists: ['solo'], trials: 1, workbench: 'on' };
  await world.start('bench', input);
  const campaign = await until('the campaign to end', async () => {
    const found = await world.campaign('bench').catch(() => null);
    return found?.endedAt == null ? null : found;
  });
  expect(campaign.state).toBe('finished');
  const [trial] = await world.trials('bench');
  expect(trial).toMatchObject({ status: 'keep', outcome: { score: 0 } });

  const { turns, probes } = await sessionModel(world.lineage, 'bench/solo-1/0');
  const answers = turns.flatMap(({ calls }) => calls.map(({ answer }) => answer?.text ?? ''));
  expect(answers[0]).toMatch(/^exit status 0, [^]*X = 3\.0[^]*Kept: train.py\./);
  expect(answers[1]).toMatch(/^exit status 0, [^]*"x": 3\.0/);
  expect(probes).toMatchObject([{ kind: 'probe', hypothesis: PROBE.hypothesis, exit: 0 }]);
  // what was kept is what was measured, and the probe is no trial
  expect(await world.trials('bench')).toHaveLength(1);
  const rows = await world.lineage.budgets.rows(campaign.owner, 50);
  expect(rows.filter(({ what }) => what === 'probe')).toMatchObject([{ role: 'solo', certainty: 'known' }]);

  const names = model.requests.map(({ body }) => body.tools.map(({ name }) => name).join(' '));
  expect(new Set(names).size).toBe(1);
  expect(names[0]).toMatch(/ shell probe /);
});
