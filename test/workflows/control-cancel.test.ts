import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { trialWorkflowId } from '../../src/domain/keys.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import { use, type ScriptStep } from '../model/scripted-server.js';
import {
  assay,
  assayJson,
  begun,
  leftOpen,
  liveRuns,
  NOTHING_OPEN,
  pushPatientTask,
  temporal,
  training,
} from './command-lines.js';
import { withScript } from './one-trial.js';
import { edit, submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';
const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 600.0';
const FAST = 'X = 2.5  # knob: -10..10\nSLEEP = 0.0';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
beforeAll(async () => {
  world = await openWorld();
  await pushPatientTask(world);
});
afterAll(() => world.stop());

const start = (name: string, more: Record<string, unknown>) =>
  world.start(name, { task: 'patient', model: 'scripted', specialists: ['solo'], ...more });

/** After a slow trial, the next request has to carry its end. */
const thenFast = (told: RegExp): ScriptStep[] => [
  turnKnob(START, SLOW),
  submit('slow'),
  (request) => {
    expect(JSON.stringify(request.body.messages.at(-1))).toMatch(told);
    return edit(SLOW, FAST);
  },
  submit('fast'),
];

it('of a trial in training ends its process, tells its session why, and disturbs nothing else', async () => {
  await withScript(world, thenFast(/trial 1: cancelled.*a person: too slow/), async () => {
    const handle = await start('told', { trials: 2 });
    await training(world, 'told', 1);
    const answer = await assayJson(world, 'cancel', 'told/1', '--reason', 'too slow');
    expect(answer).toMatchObject({
      schema: 'assay.cancel/1',
      trial: 't00001',
      acknowledged: true,
      status: 'cancelled',
      cancelledBy: 'a person: too slow',
    });
    expect((await liveRuns()).filter((run) => run.includes('/train'))).toEqual([]);
    await handle.result();
    expect((await world.trials('told')).map(({ status }) => status)).toEqual(['cancelled', 'keep']);
    expect(await world.campaign('told')).toMatchObject({ state: 'finished', reason: 'trials (2 of 2)' });
    expect(await leftOpen(world, 'told')).toEqual(NOTHING_OPEN);
  });
  const [again, whole, lane, unknown] = await Promise.all([
    assay(world, 'cancel', 'told/t00001'),
    assay(world, 'cancel', 'told'),
    assay(world, 'cancel', 'told/solo-1'),
    assay(world, 'cancel', 'told/9'),
  ]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('has ended already: cancelled')]);
  expect([whole.code, whole.stderr]).toEqual([2, expect.stringContaining('assay stop told --now')]);
  expect([lane.code, lane.stderr]).toEqual([2, expect.stringContaining('cancel takes one trial')]);
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('has no trial t00009')]);
});

it('by the Temporal CLI does the same, without a reason', async () => {
  await withScript(world, thenFast(/trial 1: cancelled/), async () => {
    const handle = await start('plainly', { trials: 2 });
    await training(world, 'plainly', 1);
    await temporal(world, 'workflow', 'cancel', '--workflow-id', 'plainly/t00001');
    await handle.result();
    const [first, second] = await world.trials('plainly');
    expect(first).toMatchObject({ status: 'cancelled', outcome: { cancelledBy: 'cancelled on request' } });
    expect(second?.status).toBe('keep');
    expect(await leftOpen(world, 'plainly')).toEqual(NOTHING_OPEN);
  });
});

it('of a waiting trial leaves the one in training alone, and of that one lets a single duplicate be measured', async () => {
  const again = (hypothesis: string) => use('submit_trial', { hypothesis });
  const slow = 'X = 2.0  # knob: -10..10\nSLEEP = 20.0';
  const script = [turnKnob(START, slow), { blocks: ['a', 'b', 'c', 'd'].map(again) }];
  await withScript(world, script, async () => {
    const handle = await start('queued', { trials: 9, submissions: 4 });
    await training(world, 'queued', 1);
    const trials = await until('four trials', async () => {
      const all = await world.trials('queued');
      return all.length === 4 ? all : null;
    });
    const first = trials.find(({ twin }) => twin === null);
    const [waiting, ...released] = trials.filter(({ twin }) => twin !== null);
    const cancelled = async (trial: TrialDocument | undefined) => {
      const id = trialWorkflowId('queued', trial?.number ?? 0);
      await temporal(world, 'workflow', 'cancel', '--workflow-id', id);
      await world.client.workflow.getHandle(id).result();
    };
    await cancelled(waiting);
    expect((await world.trials('queued')).map(({ status }) => status).filter(Boolean)).toEqual(['cancelled']);
    expect(await begun(world, 'queued', first?.number ?? 0)).toBe(1);
    await cancelled(first);
    await handle.result();
    const ends = (await world.trials('queued')).filter(({ number }) =>
      released.some((trial) => trial.number === number),
    );
    expect(ends.map(({ status }) => status).sort()).toEqual(['duplicate', 'keep']);
    const measured = ends.find(({ status }) => status === 'keep');
    const [replicate] = await world.lineage.replicates.many(measured?.replicates ?? []);
    expect(replicate?.trained?.fence).toBe(2);
    expect(ends.find(({ status }) => status === 'duplicate')?.outcome?.duplicateOf).toBe(measured?.number);
    expect(await leftOpen(world, 'queued')).toEqual(NOTHING_OPEN);
  });
});

it('of a trial in evaluation ends the evaluator', async () => {
  const script = [turnKnob(START, 'X = 2.25  # knob: -10..10\nSLEEP = 0.0'), submit('slow to judge')];
  await withScript(world, script, async () => {
    const handle = await start('judged', { trials: 1 });
    await until('the evaluator of trial 1', async () => {
      const campaign = await world.campaign('judged').catch(() => null);
      const judging = Object.values(campaign?.active ?? {}).some(
        ({ trial, what }) => trial === 1 && what === 'evaluate',
      );
      return judging && (await liveRuns()).some((run) => run.includes('/evaluate')) ? true : null;
    });
    const answer = await assayJson(world, 'cancel', 'judged/1', '--reason', 'enough');
    expect(answer).toMatchObject({ status: 'cancelled', cancelledBy: 'a person: enough' });
    expect((await liveRuns()).filter((run) => run.includes('/evaluate'))).toEqual([]);
    await handle.result();
    expect(await leftOpen(world, 'judged')).toEqual(NOTHING_OPEN);
  });
});
