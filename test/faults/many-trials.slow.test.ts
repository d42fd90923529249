import { afterAll, beforeAll, expect, it } from 'vitest';
import { reconcile } from '../../src/reconcile/reconcile.js';
import { askedServer } from '../../workers/reconciling.js';
import { openWorld, until, type World } from '../workflows/world.js';
import { startEndlessModel, type EndlessModel } from './endless-model.js';
import { openOwnTemporal, type OwnServer } from './own-servers.js';

const TRIALS = 100;
const LANES = 10;
/** The events after which the server asks for a continue-as-new; by default 4,096. */
const RENEWAL = 100;

let temporal: OwnServer;
let world: World;
let model: EndlessModel;
beforeAll(async () => {
  temporal = await openOwnTemporal([
    '--dynamic-config-value',
    `limit.historyCount.suggestContinueAsNew=${RENEWAL}`,
  ]);
  world = await openWorld({ temporalAddress: temporal.address });
  model = await startEndlessModel();
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await temporal.stop();
});

const input = (trials: number) => ({
  task: 'noop',
  model: 'endless',
  trials,
  specialists: [{ role: 'solo', lanes: LANES }],
});
const modelAt = (): Record<string, string> => ({
  ANTHROPIC_BASE_URL: model.url,
  ANTHROPIC_API_KEY: 'test-key',
});

/** Counts runs that match a query of the server's visibility. */
async function count(query: string): Promise<number> {
  return (await world.client.workflow.count(query)).count;
}

it('measures many trials in a history that does not grow with them, and cancels none when its lanes continue-as-new', async () => {
  const worker = world.worker(modelAt());
  await worker.ready;
  const handle = await world.start('many', input(TRIALS));
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: TRIALS, ended: TRIALS });
  const trials = await world.trials('many');
  expect(trials.map((trial) => trial.number)).toEqual(Array.from({ length: TRIALS }, (_, i) => i + 1));
  expect(new Set(trials.map((trial) => trial.status))).toEqual(new Set(['keep', 'discard']));

  const { historyLength, runId } = await handle.describe();
  // a child, a timer or a signal for each trial would be three events or more each
  expect(historyLength).toBeLessThan(2 * TRIALS);
  expect((await world.campaign('many')).owner).toBe(`${world.namespace}/${runId}`);
  for (let lane = 1; lane <= LANES; lane += 1)
    await until(`lane ${lane} to have continued-as-new`, async () =>
      (await count(`WorkflowId="many/solo-${lane}" AND ExecutionStatus="ContinuedAsNew"`)) > 0 ? true : null,
    );
  expect(await count(`ExecutionStatus IN ("Canceled", "Terminated", "Failed", "TimedOut")`)).toBe(0);
  await worker.kill('SIGKILL');
}, 600_000);

it('leaves no trial without a status and no reservation open after a terminate in mid-run and kill -9 of the workers', async () => {
  const worker = world.worker(modelAt());
  await worker.ready;
  const handle = await world.start('gone', input(10 * TRIALS));
  await until('many trials', async () => {
    const { owner, active } = await world.campaign('gone').catch(() => ({ owner: '', active: {} }));
    if (owner === '' || Object.keys(active).length === 0) return null;
    return (await world.lineage.trials.totals(owner)).submitted >= 2 * LANES || null;
  });
  await worker.kill('SIGKILL');
  await handle.terminate('by a test');
  const { owner } = await world.campaign('gone');
  const open = await world.lineage.trials.open(owner, 1000);
  expect(open.length).toBeGreaterThan(0);

  const next = world.worker(modelAt());
  await next.ready;
  await until(
    'lanes and trials to obey the end of their campaign',
    async () =>
      (await count('ExecutionStatus="Running" AND WorkflowId STARTS_WITH "gone"')) === 0 ? true : null,
    240,
  );
  const { workflowFact, namespace } = askedServer(world.client);
  const context = { lineage: world.lineage, workflowFact, namespace };
  await reconcile(context, { campaign: 'gone' });
  expect(await world.campaign('gone')).toMatchObject({ state: 'stopped', active: {} });
  expect(await world.lineage.trials.open(owner, 1000)).toEqual([]);
  const trials = await world.trials('gone');
  const { submitted } = await world.lineage.trials.totals(owner);
  expect(trials.map((trial) => trial.number)).toEqual(Array.from({ length: submitted }, (_, i) => i + 1));
  const budget = await world.lineage.budgets.get(owner);
  expect(budget.open).toEqual({});
  const rows = await world.lineage.budgets.rows(owner, 100_000);
  expect(rows.reduce((sum, row) => sum + row.spent.acceleratorMs, 0)).toBe(budget.held.acceleratorMs);
  expect(rows.reduce((sum, row) => sum + row.spent.tokens, 0)).toBe(budget.held.tokens);
  expect(await reconcile(context, { campaign: 'gone' })).toEqual([]);
}, 600_000);
