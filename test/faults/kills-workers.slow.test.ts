import { afterAll, beforeAll, expect, it } from 'vitest';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { submitCode } from '../bad-input/test-task.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { openWorld, until, type World } from '../workflows/world.js';

/** Kills the worker that it runs under, and no other process of this machine. */
const RECIPE = `
import os, time
def parent(pid):
    with open(f"/proc/{pid}/stat") as file: return int(file.read().rpartition(")")[2].split()[1])
pid = os.getpid()
while (pid := parent(pid)) > 1:
    with open(f"/proc/{pid}/cmdline", "rb") as file: line = file.read()
    if b"bin/assay.js\\0worker" in line:
        os.kill(pid, 9)
        break
time.sleep(20)
`;

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  model = await startScriptedServer(
    Array.from({ length: 20 }, () => () => new Promise<never>(() => undefined)),
  );
});
afterAll(async () => {
  await world.stop();
  await model.stop();
});

it('ends a trial that kills each worker which takes it over, and continues with the next', async () => {
  const env = { ASSAY_TIER: 'E', ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  await world.worker(env, ['orchestrator', 'model', 'evaluator']).ready;
  let trainer = world.worker(env, ['trainer']);
  await trainer.ready;
  const input = {
    task: 'tiny',
    model: 'silent',
    specialists: ['solo'],
    trials: 10,
    trainHeartbeatSeconds: 10,
  };
  const handle = await world.start('killers', input);
  await until(
    'the campaign to run',
    async () => (await world.campaign('killers').catch(() => null))?.state === 'running' || null,
  );
  const number = await submitCode(world, 'killers', RECIPE);
  const { owner } = await world.campaign('killers');
  const status = async () => (await world.lineage.trials.get(owner, number))?.status ?? null;
  let killed = 0;
  await until(
    'the trial to end',
    async () => {
      if (!trainer.isAlive()) {
        killed += 1;
        trainer = world.worker(env, ['trainer']);
      }
      return status();
    },
    // three times a heartbeat has to be missed and a worker to start
    240,
  );
  const record = await trialRecord(world.lineage, 'killers', number);
  expect(record).toMatchObject({ status: 'crash', failure: { phase: 'train', limit: { used: 3 } } });
  expect(record.failure?.reason).toMatch(
    /^3 workers were lost with it .*, where nothing keeps a recipe from its worker/,
  );
  expect(killed).toBe(3);
  expect(record.replicates[0]?.infra.map(({ reason }) => reason)).toEqual(
    Array.from({ length: 3 }, () => 'the attempt was lost with its worker'),
  );
  const next = await submitCode(
    world,
    'killers',
    'import json, os\njson.dump({"x": 3.0}, open(os.environ["ASSAY_OUTPUT"] + "/x.json", "w"))\n',
  );
  await until(
    'an honest trial to end',
    async () => (await world.lineage.trials.get(owner, next))?.status ?? null,
  );
  expect((await trialRecord(world.lineage, 'killers', next)).status).toBe('keep');
  await handle.signal('stop', 'now');
  expect(await handle.result()).toMatchObject({ state: 'stopped' });
}, 300_000);
