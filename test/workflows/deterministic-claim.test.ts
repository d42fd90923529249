import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { pushTask } from '../bad-input/test-task.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { edit, submit } from './script.js';
import { openWorld, type World } from './world.js';

vi.setConfig({ testTimeout: 180_000 });

/**
 * Preparation that puts the lowest point of the tiny task's parabola elsewhere for the search than for a claim.
 */
const PREPARE = `
import hashlib, json, os
root, files = os.environ["ASSAY_OUTPUT"], []
for part, text in (("train", "0"), ("search", "3"), ("claim", "4")):
    os.makedirs(os.path.join(root, part), exist_ok=True)
    with open(os.path.join(root, part, "at.txt"), "w") as file: file.write(text)
    files.append({"path": part + "/at.txt", "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()})
with open(os.path.join(root, "manifest.json"), "w") as file: json.dump({"schema": "assay.data/1", "files": files}, file)
`;
const EVALUATOR = `
import json, os
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file: x = json.load(file)["x"]
with open(os.path.join(os.environ["ASSAY_DATA"], "at.txt")) as file: at = float(file.read())
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out:
    json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": (x - at) ** 2}, "feedback": ""}, out)
`;

let world: World;
let model: ScriptedServer;
beforeAll(async () => {
  world = await openWorld();
  const split = (yaml: string): string =>
    `${yaml}\ndata: { prepare: prepare.py, train: train/, search: search/, claim: claim/ }\n`;
  await pushTask(world, 'split', split, { 'prepare.py': PREPARE, 'evaluator/evaluate.py': EVALUATOR });
  const better = [edit('X = 1.0', 'X = 2.0'), submit('better')];
  model = await startScriptedServer([...better, ...better]);
  await world.fleet({ ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' });
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
});

const INPUT = { model: 'scripted', specialists: ['solo'], trials: 1, trainHeartbeatSeconds: 10, claim: {} };

async function claimed(name: string, input: Record<string, unknown>) {
  const handle = await world.start(name, { ...INPUT, ...input });
  expect(await handle.result()).toMatchObject({ state: 'finished', frontier: 't00001' });
  const { owner, frozen } = await world.campaign(name);
  expect(frozen.claim).toMatchObject({ runs: 1, deterministic: true });
  const claim = await world.lineage.claims.get(owner, 0);
  expect((await world.lineage.replicates.many(claim.replicates)).map(({ purpose }) => purpose)).toEqual([
    'claim',
    'claim',
  ]);
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  return { claim, status: await statusModel(world.lineage, name) };
}

it('measures start and frontier of a deterministic task once each, on the data of claims', async () => {
  const { claim, status } = await claimed('split', { task: 'split', acceleratorSeconds: 5000 });
  expect(claim).toMatchObject({ void: null, runs: 1, decided: 1 });
  // (2 − 4)² less (1 − 4)², where the search saw (2 − 3)² less (1 − 3)²
  expect(claim.result).toEqual({
    kind: 'deterministic',
    because: 'declared',
    start: { mean: 9, sd: null, runs: 1 },
    frontier: { mean: 4, sd: null, runs: 1 },
    difference: -5,
    better: true,
  });
  expect(status.gain).toBe(-3);
  expect(status.claim).toMatchObject({ state: 'measured', data: 'claim', error: null, confidence: null });
  expect(status.remark).toBe(
    'one deterministic measurement: t00001 against the start: -5; on data that the search has not used',
  );
});

it('says so where the one measurement is of what the search has seen', async () => {
  const { claim, status } = await claimed('seen', { task: 'tiny' });
  expect(claim.result).toMatchObject({ kind: 'deterministic', because: 'declared', difference: -3 });
  expect(status.remark).toBe(
    'one deterministic measurement: t00001 against the start: -3; on the data on which the search has selected once',
  );
  expect(status.claim).toMatchObject({ data: 'search', error: null });
  model.assertDone();
});

it('refuses more runs of a claim than can differ', async () => {
  const handle = await world.start('eight', { ...INPUT, task: 'tiny', claim: { runs: 8 } });
  const failed: unknown = await handle.result().catch((error: unknown) => error);
  expect(String(failed instanceof Error ? failed.cause : failed)).toContain(
    'claim.runs: the task "tiny" declares `replicate: { deterministic: true }`: each run of a recipe measures the same',
  );
});
