import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { finish, submit, turnKnob } from '../workflows/script.js';
import { openWorld, until, type World } from '../workflows/world.js';

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  const to = (x: string) => turnKnob('X = 1.0  # knob: -10..10', `X = ${x}  # knob: -10..10`);
  model = await startScriptedServer([
    to('2.0'),
    submit('nearer'),
    finish,
    turnKnob('X = 2.0  # knob: -10..10', 'X = 2.5  # knob: -10..10'),
    submit('nearer still'),
  ]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  const handle = await world.start('again', {
    task: 'tiny',
    model: 'scripted',
    specialists: ['solo'],
    trials: 2,
  });
  await handle.result();
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

/** Everything that a repeated step could add to or change. */
async function facts() {
  const { owner } = await world.campaign('again');
  const trials = await world.trials('again');
  const start = await world.lineage.trials.require(owner, 0);
  const replicates = await world.lineage.replicates.many([start, ...trials].flatMap((one) => one.replicates));
  return {
    requests: model.requests.length,
    trials: [start, ...trials],
    replicates: replicates.sort((a, b) => (a._id < b._id ? -1 : 1)),
    rows: await world.lineage.budgets.rows(owner, 1000),
    budget: await world.lineage.budgets.get(owner),
    frontier: await world.lineage.decisions.frontier(owner),
    sessions: await Promise.all(
      [0, 1].map((index) => world.lineage.sessions.get(`${owner}/solo-1/${index}`)),
    ),
  };
}

/** Resets a workflow to just before the workflow task that scheduled an activity; null: to its beginning. */
async function reset(workflowId: string, before: string | null): Promise<unknown> {
  const handle = world.client.workflow.getHandle(workflowId);
  const { runId } = await handle.describe();
  const { events } = await handle.fetchHistory();
  const scheduled = (events ?? []).find((event) =>
    before === null
      ? event.workflowTaskCompletedEventAttributes != null
      : event.activityTaskScheduledEventAttributes?.activityType?.name === before,
  );
  const at = scheduled?.activityTaskScheduledEventAttributes?.workflowTaskCompletedEventId;
  const workflowTaskFinishEventId = at ?? scheduled?.eventId;
  if (workflowTaskFinishEventId == null) throw new Error(`${workflowId} has no ${before ?? 'beginning'}`);
  const { runId: next } = await world.client.workflowService.resetWorkflowExecution({
    namespace: world.namespace,
    workflowExecution: { workflowId, runId },
    reason: 'a test',
    requestId: randomUUID(),
    workflowTaskFinishEventId,
  });
  expect(next).not.toBe(runId);
  return world.client.workflow.getHandle(workflowId, next).result();
}

it('asks no model, trains nothing and takes no number when a specialist is reset to before a submit', async () => {
  const before = await facts();
  await reset('again/solo-1', 'submitTrial');
  expect(await facts()).toEqual(before);
  model.assertDone();
});

it('asks no model, trains nothing and takes no number when a specialist is reset to its beginning', async () => {
  const before = await facts();
  await reset('again/solo-1', null);
  expect(await facts()).toEqual(before);
  model.assertDone();
});

it('trains nothing and decides nothing again when a trial is reset to its beginning', async () => {
  const before = await facts();
  expect(await reset('again/t00001', null)).toEqual({ number: 1, status: 'keep', score: 1 });
  expect(await facts()).toEqual(before);
});

it('keeps everything that was measured when the whole campaign is reset to its beginning', async () => {
  const before = await facts();
  await reset('again', null);
  expect(await facts()).toEqual(before);
  expect(await until('the end', async () => (await world.campaign('again')).endedAt)).not.toBeNull();
});
