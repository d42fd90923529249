import { afterAll, beforeAll, expect, it } from 'vitest';
import { reconcile } from '../../src/reconcile/reconcile.js';
import { askedServer, scheduleReconcile } from '../../workers/reconciling.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { submit, turnKnob } from './script.js';
import { openWorld, trains, until, type World } from './world.js';

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  const slow = 'X = 2.0  # knob: -10..10\nSLEEP = 25.0';
  model = await startScriptedServer([
    turnKnob('X = 1.0  # knob: -10..10\nSLEEP = 0.0', slow),
    submit('slow'),
  ]);
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

it('ends every trial, reservation and claim of a campaign that was terminated while its worker was dead', async () => {
  const worker = world.worker({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  await worker.ready;
  const handle = await world.start('gone', {
    task: 'tiny',
    model: 'scripted',
    specialists: ['solo'],
    trials: 3,
    trainHeartbeatSeconds: 5,
  });
  const { owner } = await until('training to begin', async () => {
    const campaign = await world.campaign('gone').catch(() => null);
    if (campaign === null || !trains(campaign, 1)) return null;
    // its time is reserved just after it is registered
    const { open } = await world.lineage.budgets.get(campaign.owner);
    return Object.keys(open).length > 0 ? campaign : null;
  });
  await worker.kill('SIGKILL');
  await handle.terminate('by a test');
  await world.client.workflow.getHandle('gone/solo-1').terminate('by a test');
  await world.client.workflow.getHandle('gone/t00001').terminate('by a test');

  const { workflowFact, namespace } = askedServer(world.client);
  const context = { lineage: world.lineage, workflowFact, namespace };
  const planned = await reconcile(context, { campaign: 'gone', dryRun: true });
  expect(new Set(planned.map((finding) => finding.what))).toEqual(
    new Set(['trial', 'reservation', 'claim', 'campaign']),
  );
  expect((await world.campaign('gone')).state).toBe('running');

  await reconcile(context, { campaign: 'gone' });
  expect(await world.campaign('gone')).toMatchObject({ state: 'stopped', active: {} });
  expect((await world.trials('gone')).map((trial) => trial.status)).toEqual(['cancelled']);
  const budget = await world.lineage.budgets.get(owner);
  expect(budget.open).toEqual({});
  const rows = await world.lineage.budgets.rows(owner, 100);
  expect(rows.filter((row) => row.certainty === 'unknown').map((row) => row.what)).toEqual(['train']);
  expect(rows.reduce((sum, row) => sum + row.spent.acceleratorMs, 0)).toBe(budget.held.acceleratorMs);
  expect(await reconcile(context, { campaign: 'gone' })).toEqual([]);
});

it('is scheduled every 5 minutes by a fleet that finds no schedule; that of a world differs by its pause alone', async () => {
  const schedule = world.client.schedule.getHandle('assay-reconcile');
  const held = await schedule.describe();
  await schedule.delete();
  await scheduleReconcile(world.client);
  const made = await schedule.describe();
  expect(made.spec.intervals).toMatchObject([{ every: 300_000 }]);
  expect([made.state.paused, held.state.paused]).toEqual([false, true]);
  const { spec, action, policies } = made;
  expect({ spec: held.spec, action: held.action, policies: held.policies }).toEqual({
    spec,
    action,
    policies,
  });
});
