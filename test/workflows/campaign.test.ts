import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expectError } from '../bad-input/rows.js';
import { startScriptedServer, use, type ScriptedServer, type ScriptStep } from '../model/scripted-server.js';
import { replayAll } from './replaying.js';
import { finish, submit, turnKnob } from './script.js';
import { openWorld, type World } from './world.js';

const LEFT = 'X = 1.0  # knob: -10..10';

/** Runs the body of a test with a fleet whose model is the script; all of the script has to be used. */
async function withScript(
  world: World,
  script: ScriptStep[],
  run: (model: ScriptedServer) => Promise<void>,
): Promise<void> {
  const model = await startScriptedServer(script);
  const fleet = await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  try {
    await run(model);
    model.assertDone();
  } finally {
    await fleet.stop();
    await model.stop();
  }
}

/** Finds why a workflow failed: the code and the words of an error of the registry. */
function refusalIn(failure: unknown): { code: string; message: string } {
  const cause = failure instanceof WorkflowFailedError ? failure.cause : failure;
  if (!(cause instanceof ApplicationFailure)) throw new Error(`not a refusal: ${String(cause)}`);
  return { code: cause.type ?? '', message: cause.message };
}

const SOLO = { task: 'tiny', model: 'scripted', specialists: ['solo'] };

describe('a campaign', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterAll(() => world.stop());

  it('runs a session of a model through edit, submit and result, and adopts what measured better', async () => {
    const script: ScriptStep[] = [
      turnKnob(LEFT, 'X = 2.0  # knob: -10..10'),
      submit('nearer to the optimum'),
      (request) => {
        const last = JSON.stringify(request.body.messages.at(-1));
        expect(last).toContain('trial 1: keep');
        return {
          blocks: [{ type: 'tool_use', id: 'toolu_s', name: 'submit_trial', input: { hypothesis: 'again' } }],
        };
      },
      (request) => {
        expect(JSON.stringify(request.body.messages.at(-1))).toContain(
          'refused: nothing differs from trial 1',
        );
        return { blocks: [{ type: 'text', text: 'nothing more' }] };
      },
      turnKnob('X = 2.0  # knob: -10..10', 'X = 9.0  # knob: -10..10'),
      submit('far away'),
    ];
    await withScript(world, script, async (model) => {
      const handle = await world.start('solo', { ...SOLO, trials: 2 });
      const summary: unknown = await handle.result();
      expect(summary).toMatchObject({
        state: 'finished',
        reason: 'trials (2 of 2)',
        counted: 2,
        ended: 2,
        frontier: 't00001',
      });
      const trials = await world.trials('solo');
      expect(trials.map(({ number, status, outcome }) => [number, status, outcome?.score])).toEqual([
        [1, 'keep', 1],
        [2, 'discard', 36],
      ]);
      expect(trials[1]?.parent).toBe(1);
      const diff = await world.lineage.blobs.text(trials[1]?.diff ?? '');
      expect(diff).toContain('-X = 2.0');
      expect(diff).toContain('+X = 9.0');
      const { owner } = await world.campaign('solo');
      const budget = await world.lineage.budgets.get(owner);
      expect(budget.open).toEqual({});
      const rows = await world.lineage.budgets.rows(owner, 100);
      expect(rows.filter((row) => row.what === 'model')).toHaveLength(model.requests.length);
      expect(rows.reduce((sum, row) => sum + row.spent.tokens, 0)).toBe(budget.held.tokens);
    });
  });

  it('has whatever waits on a queue of its own, so that campaigns cannot starve each other', async () => {
    const { events } = await world.client.workflow.getHandle('solo').fetchHistory();
    const scheduled = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: of }) =>
      of == null
        ? []
        : [{ type: of.activityType?.name, queue: of.taskQueue?.name, beats: of.heartbeatTimeout }],
    );
    expect(scheduled).toContainEqual(expect.objectContaining({ type: 'watch', queue: 'assay-wait' }));
    expect(scheduled).toContainEqual(expect.objectContaining({ type: 'conclude', queue: 'assay-wait' }));
    // only what may take long has heartbeats
    const long = scheduled.filter(({ beats }) => Number(beats?.seconds ?? 0) > 0);
    expect(long.filter(({ queue }) => queue === 'assay')).toEqual([]);
  });

  it('refuses a second start of a finished name in words, and keeps the first campaign', async () => {
    const fleet = await world.fleet();
    const failure: unknown = await (
      await world.start('solo', SOLO)
    )
      .result()
      .catch((error: unknown) => error);
    expectError('client-name-taken', refusalIn(failure));
    expect(refusalIn(failure).message).toMatch(/"solo" was used on .* and is finished. Choose another name/);
    expect((await world.campaign('solo')).state).toBe('finished');
    await fleet.stop();
  });

  it('answers a duplicate snapshot from the earlier trial without running it', async () => {
    const near = turnKnob(LEFT, 'X = 2.5  # knob: -10..10');
    const back: ScriptStep = { blocks: [use('rebase', { trial: 0 })] };
    const script = [near, submit('first'), finish, back, near, submit('again')];
    await withScript(world, script, async () => {
      await (await world.start('twins', { ...SOLO, trials: 5, submissions: 2 })).result();
      const [first, second] = await world.trials('twins');
      expect(first?.status).toBe('keep');
      expect(second?.status).toBe('duplicate');
      expect(second?.outcome?.duplicateOf).toBe(1);
      expect(second?.outcome?.score).toBe(first?.outcome?.score);
      expect(second?.replicates).toEqual([]);
    });
  });

  it('lets two trials of the same code be under way at once, of which one is measured', async () => {
    const near = turnKnob(LEFT, 'X = 2.25  # knob: -10..10');
    const twice = [use('submit_trial', { hypothesis: 'once' }), use('submit_trial', { hypothesis: 'twice' })];
    await withScript(world, [near, { blocks: twice }], async () => {
      await (await world.start('both', { ...SOLO, trials: 5, submissions: 2 })).result();
      const statuses = (await world.trials('both')).map((trial) => trial.status);
      expect(statuses.sort()).toEqual(['duplicate', 'keep']);
    });
  });

  it('leaves histories that replay, also in the form in which they are kept as files', async () => {
    const replayed = await replayAll(world, ['solo', 'twins']);
    expect(new Set(replayed)).toEqual(new Set(['campaign', 'specialist', 'trial']));
  });
});

describe('the input of a campaign', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
    await world.fleet();
  });
  afterAll(() => world.stop());

  it.each([
    ['client-field-wrong', { task: 'tiny', trails: 3 }, /unknown field "trails"/],
    ['client-field-wrong', { task: 'tiny', trials: 'many' }, /trials: .*number/],
    ['client-field-wrong', { trials: 3 }, /task: /],
    ['client-field-wrong', 'tiny', /wrong/],
    ['client-task-unknown', { task: 'no-such-task' }, /"no-such-task".*assay task list/],
    ['client-specialist-unknown', { task: 'tiny', specialists: ['nobody'] }, /"nobody"; it has solo, duo/],
    ['client-no-price', { task: 'tiny', dollars: 5, model: 'unpriced' }, /needs a price/],
  ] as const)('ends at once as the row %s says, for %j', async (row, input, reason) => {
    const name = `wrong-${Math.random().toString(36).slice(2)}`;
    const handle = await world.client.workflow.start('campaign', {
      taskQueue: 'assay',
      workflowId: name,
      args: [input],
    });
    const said = refusalIn(await handle.result().catch((error: unknown) => error));
    expectError(row, said);
    expect(said.message).toMatch(reason);
    expect(await world.lineage.campaigns.find(name)).toBeNull();
  });
});
