import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startScriptedServer, use, type ScriptedServer } from '../model/scripted-server.js';
import { leftOpen, NOTHING_OPEN, temporal, training } from './command-lines.js';
import { replayAll } from './replaying.js';
import { openWorld, until, type World } from './world.js';

// every command is its own process, which is slow on a busy machine
vi.setConfig({ testTimeout: 300_000 });

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  const nothing = { blocks: [use('finish', { note: 'nothing to propose' })] };
  // the lane stays silent until the first person has submitted: it would end the campaign
  const later = async (): Promise<typeof nothing> => {
    await until('a trial of a person', async () => ((await world.trials('people')).length > 0 ? true : null));
    return nothing;
  };
  model = await startScriptedServer([later, nothing, nothing]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

/** A trial of a person, submitted by the Temporal CLI. */
async function submitted(name: string, x: number, sleep: number): Promise<string> {
  const text = `import json, os, time\nX = ${x}  # knob: -10..10\ntime.sleep(${sleep})
json.dump({"x": X}, open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w"))\n`;
  const snapshot = await world.lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from(text) }]);
  const input = { snapshot, hypothesis: `X = ${x}`, expectedDelta: null, requestId: randomUUID() };
  return temporal(
    world,
    ...['workflow', 'update', 'execute', '--workflow-id', name, '--name', 'submit'],
    ...['--input', JSON.stringify(input), '--output', 'json'],
  );
}

const numbered = z.object({ result: z.object({ number: z.number() }) });

it('a trial that a person submits while only those of people are left is waited for as well', async () => {
  const handle = await world.start('people', {
    task: 'tiny',
    trials: 50,
    model: 'scripted',
    specialists: ['solo'],
  });
  await until('the search', async () => {
    const campaign = await world.campaign('people').catch(() => null);
    return campaign?.state === 'running' || null;
  });
  expect(numbered.parse(JSON.parse(await submitted('people', 2, 20))).result.number).toBe(1);
  await training(world, 'people', 1);
  await world.client.workflow.getHandle('people/solo-1').result();
  expect(numbered.parse(JSON.parse(await submitted('people', 2.5, 3))).result.number).toBe(2);
  expect(await handle.result()).toMatchObject({ state: 'finished', submitted: 2, ended: 2 });
  expect((await world.trials('people')).map(({ status }) => status)).toEqual(['keep', 'keep']);
  expect(await leftOpen(world, 'people')).toEqual(NOTHING_OPEN);
  await expect(submitted('people', 3, 0)).rejects.toThrow(/exit 1/);
  expect(await replayAll(world, ['people'], ['campaign'])).toHaveLength(1);
});
