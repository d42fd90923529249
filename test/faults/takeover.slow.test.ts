import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import { loadTask } from '../../src/tasks/load.js';
import { TINY } from '../fixtures/tiny.js';
import { startScriptedServer, use, type ScriptedServer } from '../model/scripted-server.js';
import { submit } from '../workflows/script.js';
import { openWorld, until, type World, type WorkerProcess } from '../workflows/world.js';
import { processesOf } from './run-processes.js';
import { openStoreGate, type StoreGate } from './store-gate.js';

/** The artifact says which attempt made it. */
const RECIPE = `
import json, os, time
time.sleep(8)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": 2.0, "run": os.environ["ASSAY_RUN"]}, file)
`;
const INPUT = {
  task: 'tiny',
  model: 'scripted',
  specialists: ['solo'],
  trials: 1,
  trainHeartbeatSeconds: 10,
};

let world: World;
let model: ScriptedServer;
let gate: StoreGate;
const homes: string[] = [];
beforeAll(async () => {
  world = await openWorld();
  await pushUnshared();
  gate = await openStoreGate(inject('storeUrl'));
  const edit = { command: 'create', path: 'train.py', file_text: RECIPE };
  const session = [{ blocks: [use(EDIT_TOOL, edit)] }, submit('says who made it')];
  model = await startScriptedServer([...session, ...session]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  await world.worker(env, ['orchestrator', 'model', 'evaluator']).ready;
});
afterAll(async () => {
  await world.stop();
  await model.stop();
  await gate.stop();
  for (const home of homes) await rm(home, { recursive: true, force: true });
});

/**
 * Pushes the tiny task without the `reads` of training, so that the second host cannot reuse the first one's result.
 */
async function pushUnshared(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-unshared-'));
  homes.push(folder);
  await cp(TINY, folder, { recursive: true });
  const yaml = await readFile(join(folder, 'task.yaml'), 'utf8');
  await writeFile(join(folder, 'task.yaml'), yaml.replace("    reads: ['train.py']\n", ''));
  const { spec, files } = await loadTask(folder);
  expect(spec.phases.train.reads).toEqual([]);
  await world.lineage.tasks.push(spec, files, 'person');
}

/** A worker that trains, with a name and a folder of its own as on another machine. */
async function host(name: string, env: Record<string, string> = {}): Promise<WorkerProcess> {
  const home = await mkdtemp(join(tmpdir(), `assay-${name}-`));
  homes.push(home);
  const worker = world.worker({ ...env, ASSAY_HOST: name, ASSAY_HOME: home }, ['trainer']);
  await worker.ready;
  return worker;
}

async function replicateOf(name: string): Promise<ReplicateDocument | null> {
  const trial = await world.trials(name).then(
    ([first]) => first,
    () => undefined,
  );
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  return replicate ?? null;
}

/** Waits until the first trial trains there. */
function trainingOn(name: string, hostName: string): Promise<ReplicateDocument> {
  return until(`${name} to train on ${hostName}`, async () => {
    const replicate = await replicateOf(name);
    if (replicate?.holder?.host !== hostName) return null;
    const running = await processesOf(`${replicate._id}/${replicate.fence}/`);
    return running.length > 0 ? replicate : null;
  });
}

async function expectSecondHostsResult(name: string): Promise<void> {
  const replicate = await replicateOf(name);
  expect(replicate?.trained?.fence).toBe(2);
  const [file] = replicate?.trained?.artifact?.files ?? [];
  expect(await world.lineage.blobs.text(file?.sha256 ?? '')).toContain(`${replicate?._id}/2/train`);
  const [trial, ...others] = await world.trials(name);
  expect(others).toEqual([]);
  expect(trial).toMatchObject({ status: 'keep', outcome: { score: 1 }, replicates: [replicate?._id] });
  const { owner, active } = await world.campaign(name);
  expect(active).toEqual({});
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  const rows = await world.lineage.budgets.rows(owner, 100);
  const trainings = rows.filter((row) => row.trial === 1 && row.what === 'train');
  expect(trainings.map((row) => row.certainty)).toEqual(['unknown', 'known']);
  expect(trainings[0]?.spent).toEqual(trainings[0]?.reserved);
}

it('publishes what the second host trained when the first was stopped with SIGSTOP past its takeover and continues', async () => {
  const first = await host('stopped');
  const handle = await world.start('takeover', INPUT);
  const before = await trainingOn('takeover', 'stopped');
  const training = (await processesOf(`${before._id}/1/`)).map(({ pid }) => pid);
  const frozen = [...training, first.pid];
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');

  const second = await host('taker');
  await trainingOn('takeover', 'taker');
  for (const pid of frozen) process.kill(pid, 'SIGCONT');
  expect(await handle.result()).toMatchObject({ state: 'finished', ended: 1, bestScore: 1 });
  await expectSecondHostsResult('takeover');
  const { faults } = (await replicateOf('takeover')) ?? { faults: [] };
  expect(faults[0]).toMatchObject({
    fence: 1,
    host: 'stopped',
    reason: 'the attempt was lost with its worker',
  });
  for (const worker of [first, second]) await worker.kill('SIGKILL');
}, 240_000);

/**
 * Here the write itself is late: it has left the first host and is held on its way to the store until the second host
 * trains, so that nothing but the fence can refuse it.
 */
it('refuses the result of an overtaken host that arrives while the second host still trains', async () => {
  const first = await host('late', { ASSAY_MONGODB_URL: gate.url });
  const handle = await world.start('late', INPUT);
  await trainingOn('late', 'late');
  gate.holdAt('update', 'replicates', 'trained', 'artifact');
  await gate.held();
  process.kill(first.pid, 'SIGSTOP');

  const second = await host('punctual');
  const overtaken = await trainingOn('late', 'punctual');
  expect([overtaken.fence, overtaken.trained]).toEqual([2, null]);
  process.kill(first.pid, 'SIGCONT');
  gate.open();
  const refused = await until('the late attempt to give up', async () => {
    const replicate = await replicateOf('late');
    const own = replicate?.faults.some(
      ({ fence, reason }) => fence === 1 && reason !== 'the attempt was lost with its worker',
    );
    return own === true ? replicate : null;
  });
  expect([null, 2]).toContain(refused.trained === null ? null : refused.trained.fence);
  expect(await handle.result()).toMatchObject({ state: 'finished', ended: 1, bestScore: 1 });
  await expectSecondHostsResult('late');
  model.assertDone();
  for (const worker of [first, second]) await worker.kill('SIGKILL');
}, 240_000);
