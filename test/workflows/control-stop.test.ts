import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import {
  assay,
  assayJson,
  begun,
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
  model = await startScriptedServer([...slow, ...slow, ...slow]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

async function inState(name: string, state: string): Promise<void> {
  await until(`${name} to be ${state}`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.state === state || null;
  });
}

async function trialsOf(name: string, atLeast: number): Promise<void> {
  await until(
    `${atLeast} trials of ${name}`,
    async () => (await world.trials(name)).length >= atLeast || null,
  );
}

/** Expects that no workflow and no process of the campaign runs ten seconds after a stop. */
async function nothingRuns(name: string): Promise<void> {
  await until(
    `nothing of ${name} to run`,
    async () => ((await liveRuns()).length + (await liveWorkflows(world, name)).length === 0 ? true : null),
    10,
  );
}

async function endedByDraining(name: string): Promise<void> {
  await world.client.workflow.getHandle(name).result();
  expect(await world.campaign(name)).toMatchObject({
    state: 'stopped',
    reason: 'stopped by a person (drain)',
  });
  expect(
    (await world.trials(name)).filter(({ status }) => status === null || status === 'cancelled'),
  ).toEqual([]);
  expect(await leftOpen(world, name)).toEqual(NOTHING_OPEN);
}

async function endedAtOnce(name: string): Promise<void> {
  await nothingRuns(name);
  expect(await world.campaign(name)).toMatchObject({ state: 'stopped' });
  expect((await world.trials(name)).map(({ status }) => status)).toEqual(['cancelled']);
  expect(await begun(world, name, 1)).toBe(1);
  expect(await leftOpen(world, name)).toEqual(NOTHING_OPEN);
}

const slowly = (name: string) =>
  world.start(name, { task: 'patient', trials: 5, model: 'scripted', specialists: ['solo'] });

it('pause, resume and stop --drain from our command line are obeyed, and nothing accepted is lost', async () => {
  await world.start('ours', { task: 'tiny', trials: 500, model: 'offline-proposer' });
  await inState('ours', 'running');
  const paused = await assayJson(world, 'pause', 'ours', '--reason', 'lunch');
  expect(paused).toMatchObject({ asked: 'pause', acknowledged: true, state: 'paused', control: 'paused' });
  expect((await world.campaign('ours')).reason).toBe('lunch');
  expect(await assayJson(world, 'resume', 'ours')).toMatchObject({ acknowledged: true, control: 'running' });
  await trialsOf('ours', 1);
  const both = await assay(world, 'stop', 'ours', '--drain', '--now');
  expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('cannot be used with')]);
  expect(await assayJson(world, 'stop', 'ours', '--drain')).toMatchObject({ acknowledged: true });
  await endedByDraining('ours');
  const late = await assay(world, 'resume', 'ours');
  expect([late.code, late.stderr]).toEqual([2, expect.stringContaining('has ended: stopped')]);
});

it('pause, resume and stop as signals of the Temporal CLI do the same', async () => {
  const signal = (name: string, input?: string) =>
    temporal(
      world,
      ...['workflow', 'signal', '--workflow-id', 'theirs', '--name', name],
      ...(input === undefined ? [] : ['--input', input]),
    );
  await world.start('theirs', { task: 'tiny', trials: 500, model: 'offline-proposer' });
  await inState('theirs', 'running');
  await signal('pause', '"lunch"');
  await inState('theirs', 'paused');
  expect((await world.campaign('theirs')).controlReason).toBe('lunch');
  await signal('resume');
  await inState('theirs', 'running');
  await trialsOf('theirs', 1);
  await signal('stop', '"drain"');
  await endedByDraining('theirs');
});

it('stop --now from our command line ends everything within 10 s', async () => {
  await slowly('now');
  await training(world, 'now', 1);
  expect(await assayJson(world, 'stop', 'now', '--now')).toMatchObject({ acknowledged: true });
  await endedAtOnce('now');
});

it('stop now as a signal of the Temporal CLI ends everything within 10 s', async () => {
  await slowly('signalled');
  await training(world, 'signalled', 1);
  await temporal(
    world,
    ...['workflow', 'signal', '--workflow-id', 'signalled', '--name', 'stop', '--input', '{"mode":"now"}'],
  );
  await endedAtOnce('signalled');
});

it('a plain cancel of the campaign acts like stop --now', async () => {
  await slowly('cancelled');
  await training(world, 'cancelled', 1);
  await temporal(world, 'workflow', 'cancel', '--workflow-id', 'cancelled');
  await endedAtOnce('cancelled');
  const { status } = await world.client.workflow.getHandle('cancelled').describe();
  expect(status.name).toBe('CANCELLED');
});
