import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ownerOf } from '../../src/domain/keys.js';
import { markerOf, processTable } from '../../src/sandbox/process/process-table.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { assay, assayJson, begun, leftOpen, NOTHING_OPEN } from './command-lines.js';
import { submit, turnKnob } from './script.js';
import { openWorld, until, type World } from './world.js';

const SLOW = 'X = 2.0  # knob: -10..10\nSLEEP = 600.0';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
let model: ScriptedServer;
let env: Record<string, string>;
beforeAll(async () => {
  world = await openWorld();
  const slow = [turnKnob('X = 1.0  # knob: -10..10\nSLEEP = 0.0', SLOW), submit('slow')];
  model = await startScriptedServer(slow);
  env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

it('a stop while no worker lives begins nothing, and the next worker obeys it once the heartbeat has timed out', async () => {
  const first = world.worker(env);
  await first.ready;
  const input = {
    task: 'tiny',
    trials: 5,
    model: 'scripted',
    specialists: ['solo'],
    trainHeartbeatSeconds: 10,
  };
  const handle = await world.start('alone', input);
  await until('training to begin', async () =>
    (await begun(world, 'alone', 1).catch(() => 0)) === 1 ? true : null,
  );
  await first.kill('SIGKILL');

  const stopping = assayJson(world, 'stop', 'alone', '--now');
  await until('the store to say so', async () =>
    (await world.campaign('alone')).control === 'stopping' ? true : null,
  );
  const second = world.worker(env);
  await second.ready;
  expect(await handle.result()).toMatchObject({ state: 'stopped' });
  expect(await stopping).toMatchObject({ asked: 'stop', campaign: 'alone' });
  const [trial, ...others] = await world.trials('alone');
  expect([trial?.status, others]).toEqual(['cancelled', []]);
  expect(await begun(world, 'alone', 1)).toBe(1);
  const left = [...(await processTable()).values()].filter(({ pid }) =>
    markerOf(pid)?.startsWith(`${first.pid}-`),
  );
  expect(left).toEqual([]);
  expect(await leftOpen(world, 'alone')).toEqual(NOTHING_OPEN);
  await second.kill('SIGTERM');
});

it('a wish that no worker hears yet says so, and holds in the store at once', async () => {
  const empty = await openWorld();
  try {
    const handle = await empty.start('unheard', { task: 'tiny', trials: 5 });
    const { runId } = await handle.describe();
    const owner = ownerOf(empty.namespace, runId);
    const task = await empty.lineage.tasks.find('tiny');
    // as its worker left it that died after the freeze
    await empty.lineage.campaigns.freeze({
      ...frozenOf('unheard', owner),
      task: { name: 'tiny', digest: task?._id ?? '', title: 'tiny' },
      lanes: [{ role: 'solo', lane: 'solo-1' }],
    });
    const paused = await assayJson(empty, 'pause', 'unheard');
    expect(paused).toMatchObject({ acknowledged: false, control: 'paused' });
    const stopped = await assay(empty, 'stop', 'unheard', '--now');
    expect(stopped.stdout).toContain('no worker runs that could obey; it will be obeyed first');
    expect((await empty.campaign('unheard')).control).toBe('stopping');
    await empty.fleet();
    await handle.result().catch(() => undefined);
    expect(await empty.campaign('unheard')).toMatchObject({ state: 'stopped' });
    expect(await empty.lineage.budgets.rows(owner, 10)).toEqual([]);
    expect(await leftOpen(empty, 'unheard')).toEqual(NOTHING_OPEN);
  } finally {
    await empty.stop();
  }
});
