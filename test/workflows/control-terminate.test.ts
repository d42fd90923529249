import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import {
  assay,
  assayJson,
  leftOpen,
  liveRuns,
  liveWorkflows,
  NOTHING_OPEN,
  pushPatientTask,
  temporal,
  training,
} from './command-lines.js';
import { submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

const START = 'X = 1.0  # knob: -10..10\nSLEEP = 0.0';
const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 600.0';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  await pushPatientTask(world);
  const slow = [turnKnob(START, SLOW), submit('slow')];
  model = await startScriptedServer([...slow, ...slow, ...slow, ...slow, ...slow]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const start = (name: string, trials = 5) =>
  world.start(name, {
    task: 'patient',
    trials,
    model: 'scripted',
    specialists: ['solo'],
    trainHeartbeatSeconds: 10,
  });

const terminated = z.object({
  schema: z.literal('assay.terminated/1'),
  state: z.string(),
  workflows: z.array(z.string()),
  findings: z.array(z.object({ what: z.string(), key: z.string(), did: z.string() })),
});

const reconciled = z.object({
  schema: z.literal('assay.reconcile/1'),
  findings: z.array(z.object({ campaign: z.string(), what: z.string(), key: z.string(), did: z.string() })),
});

it('assay terminate ends the campaign with its lanes and trials, and settles them when their processes are dead', async () => {
  await start('ended');
  await training(world, 'ended', 1);
  const unasked = await assay(world, 'terminate', 'ended');
  expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('assay terminate ended --yes')]);
  expect((await world.campaign('ended')).control).toBe('running');

  const answer = terminated.parse(await assayJson(world, 'terminate', 'ended', '--yes', '--reason', 'stuck'));
  expect(answer.workflows).toEqual(['ended', 'ended/solo-1', 'ended/t00001']);
  expect(answer.findings).toContainEqual({
    what: 'trial',
    key: 'ended/t00001',
    did: 'settled as cancelled: its workflow is closed',
  });
  expect(await liveRuns()).toEqual([]);
  expect(await liveWorkflows(world, 'ended')).toEqual([]);
  expect(await world.campaign('ended')).toMatchObject({
    state: 'stopped',
    reason: 'terminated by a person: stuck',
  });
  expect(await leftOpen(world, 'ended')).toEqual(NOTHING_OPEN);
  const again = await assay(world, 'terminate', 'ended', '--yes');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('has ended: stopped')]);
});

it('after a plain terminate the trials are cancelled and the schedule settles what is left', async () => {
  await start('plain');
  await training(world, 'plain', 1);
  await temporal(world, 'workflow', 'terminate', '--workflow-id', 'plain', '--reason', 'by a test');
  await until('its lane and trial to end', async () =>
    (await liveWorkflows(world, 'plain')).length === 0 ? true : null,
  );
  expect((await world.trials('plain')).map(({ status }) => status)).toEqual(['cancelled']);
  expect(await liveRuns()).toEqual([]);
  expect((await world.campaign('plain')).state).toBe('running');
  await temporal(world, 'schedule', 'trigger', '--schedule-id', 'assay-reconcile');
  await until('the schedule to settle it', async () =>
    (await world.campaign('plain')).state === 'stopped' ? true : null,
  );
  expect(await leftOpen(world, 'plain')).toEqual(NOTHING_OPEN);
});

it('a campaign whose only lane was terminated ends when its trial has ended, and not before', async () => {
  const handle = await start('laneless');
  await training(world, 'laneless', 1);
  await temporal(world, 'workflow', 'terminate', '--workflow-id', 'laneless/solo-1');
  await handle.result();
  expect((await world.campaign('laneless')).reason).toContain('every lane failed');
  expect((await world.trials('laneless')).map(({ status }) => status)).toEqual(['cancelled']);
  expect(await liveWorkflows(world, 'laneless')).toEqual([]);
  expect(await liveRuns()).toEqual([]);
  expect(await leftOpen(world, 'laneless')).toEqual(NOTHING_OPEN);
});

it('a trial that was terminated is settled by its lane when its process is dead, and the campaign continues', async () => {
  const handle = await start('trialless', 1);
  await training(world, 'trialless', 1);
  await temporal(world, 'workflow', 'terminate', '--workflow-id', 'trialless/t00001');
  const [trial] = await until('the trial to end', async () => {
    const trials = await world.trials('trialless');
    return trials[0]?.status == null ? null : trials;
  });
  expect(await liveRuns()).toEqual([]);
  expect(trial).toMatchObject({ status: 'cancelled' });
  expect(trial?.outcome?.cancelledBy).toMatch(/^its workflow ended: .*terminated/i);
  expect(await handle.result()).toMatchObject({ state: 'finished', reason: 'trials (1 of 1)' });
  expect(await leftOpen(world, 'trialless')).toEqual(NOTHING_OPEN);
});

it('reconcile ends workflows that run for a campaign that has ended, and leaves alone what belongs to others', async () => {
  await start('over');
  const { owner } = await training(world, 'over', 1);
  await world.client.workflow.start('specialist', {
    taskQueue: 'nobody',
    workflowId: 'elsewhere/solo-1',
    args: [],
  });
  // the campaign's own workflow is forgotten, as after a restore of the server, and its children continue
  await world.lineage.campaigns.setState(owner, 'stopped', { kind: 'text', text: 'by a test' });
  const look = async (...flags: string[]) =>
    reconciled
      .parse(await assayJson(world, 'reconcile', ...flags))
      .findings.filter(({ what }) => what === 'workflow');
  const planned = await until('the list of the server', async () => {
    const found = await look('--dry-run');
    return found.length === 3 ? found : null;
  });
  expect(planned.map(({ key, did }) => [key, did]).sort()).toEqual([
    ['elsewhere/solo-1', 'left alone: it runs for a campaign of this server that is not in this store'],
    ['over/solo-1', 'would terminate it: its campaign has ended'],
    ['over/t00001', 'would cancel it: its campaign has ended'],
  ]);
  expect(await liveWorkflows(world, 'over')).toContain('over/t00001');
  await look();
  await until('its lane and trial to end', async () => {
    const live = await liveWorkflows(world, 'over');
    return live.includes('over/solo-1') || live.includes('over/t00001') ? null : true;
  });
  expect((await world.trials('over')).map(({ status }) => status)).toEqual(['cancelled']);
  expect(await liveRuns()).toEqual([]);
  const { status } = await world.client.workflow.getHandle('elsewhere/solo-1').describe();
  expect(status.name).toBe('RUNNING');
});
