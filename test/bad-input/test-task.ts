import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { trialRecord, type TrialRecord } from '../../src/analysis/read-models/trial-record.js';
import { processName } from '../../src/sandbox/host/worker-folders.js';
import { withKit } from '../../src/tasks/kit.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { submitUpdate } from '../../workflows/messages.js';
import { isProbeFile, workOf } from '../faults/run-processes.js';
import { TINY } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { openWorld, until, type World } from '../workflows/world.js';

/**
 * One world whose campaigns only take the trials that the test submits: their one lane waits for a silent model.
 */
export interface Lab {
  world: World;
  /** Stores the tiny task under another name, with its task.yaml changed and some files replaced. */
  task(name: string, change: (yaml: string) => string, files?: Record<string, string>): Promise<void>;
  /** Starts a campaign on a task and waits until it takes trials. */
  open(campaign: string, task: string): Promise<void>;
  /** Submits train.py as a person; answers with the number. */
  submit(campaign: string, code: string): Promise<number>;
  /** The record of a trial that has ended. */
  ended(campaign: string, number: number): Promise<TrialRecord>;
  /** Stops a campaign and fails unless nothing is left of it. */
  close(campaign: string): Promise<void>;
  stop(): Promise<void>;
}

export async function openLab(): Promise<Lab> {
  const world = await openWorld();
  const model = await silentModel();
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
  return {
    world,
    task: (name, change, files = {}) => pushTask(world, name, change, files),
    open: async (campaign, task) => {
      await world.start(campaign, { task, model: 'silent', specialists: ['solo'], trials: 1000 });
      await until(`${campaign} to run`, async () => {
        const found = await world.lineage.campaigns.find(campaign);
        return found?.state === 'running' || null;
      });
    },
    submit: (campaign, code) => submitCode(world, campaign, code),
    ended: async (campaign, number) => {
      const { owner } = await world.campaign(campaign);
      await until(
        `${campaign}/${number} to end`,
        async () => (await world.lineage.trials.get(owner, number))?.status ?? null,
      );
      return trialRecord(world.lineage, campaign, number);
    },
    close: (campaign) => closeCampaign(world, campaign),
    stop: async () => {
      await world.stop();
      await model.stop();
    },
  };
}

function silentModel(): Promise<ScriptedServer> {
  return startScriptedServer(Array.from({ length: 100 }, () => () => new Promise<never>(() => undefined)));
}

export async function pushTask(
  world: Pick<World, 'lineage'>,
  name: string,
  change: (yaml: string) => string,
  files: Record<string, string>,
): Promise<void> {
  const own = await readFolder(TINY, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const texts = new Map(own.map((file) => [file.path, file.bytes.toString()]));
  texts.set('task.yaml', change((texts.get('task.yaml') ?? '').replace('name: tiny', `name: ${name}`)));
  for (const [path, text] of Object.entries(files)) texts.set(path, text);
  const changed = [...texts].map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const spec = parseTask(texts.get('task.yaml') ?? '', 'task.yaml');
  await world.lineage.tasks.push(spec, await withKit(spec, changed), 'person');
}

/** Submits train.py as a person; answers with the number. */
export async function submitCode(
  world: Pick<World, 'lineage' | 'client'>,
  campaign: string,
  code: string,
): Promise<number> {
  const snapshot = await world.lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from(code) }]);
  const submission = { snapshot, hypothesis: 'bad', expectedDelta: null, requestId: randomUUID() };
  const placed = await world.client.workflow
    .getHandle(campaign)
    .executeUpdate(submitUpdate, { args: [submission] });
  if (placed.number === null) throw new Error(`refused: ${placed.refused}`);
  return placed.number;
}

async function closeCampaign(world: World, campaign: string): Promise<void> {
  const handle = world.client.workflow.getHandle(campaign);
  await handle.signal('stop', 'now');
  await handle.result();
  await nothingLeft(world, campaign);
}

/** Fails unless no reservation, no claim, no process and no folder of the campaign is left. */
export async function nothingLeft(world: World, campaign: string): Promise<void> {
  const { owner, active } = await world.campaign(campaign);
  expect(active).toEqual({});
  // a request to the model that was cut off is settled by its activity, which the end does not wait for
  await until('reservations to be settled', async () => {
    const { open } = await world.lineage.budgets.get(owner);
    return Object.keys(open).length === 0 || null;
  });
  for (const trial of await world.trials(campaign))
    expect(trial.status, `trial ${trial.number}`).not.toBeNull();
  const worker = await processName(process.pid);
  expect(await workOf(worker), 'processes that survived').toEqual([]);
  const folders = await readdir(join(world.env['ASSAY_HOME'] ?? '', 'work', worker));
  expect(
    folders.filter((name) => !isProbeFile(name)),
    'folders left',
  ).toEqual([]);
}
