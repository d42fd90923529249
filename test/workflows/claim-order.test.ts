import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import { pushTask } from '../bad-input/test-task.js';
import { seeded } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { edit, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

const LINES = 'trained.txt';
/** The campaign of one slot trains its start and one trial before the claim. */
const FIFTH = 5;

/**
 * Recipe that records its runs on the host, which nothing prevents here; a task that asks for it fails when it has
 * run often.
 */
const recipe = (host: string, after: string): string => `
import json, os, random, sys
X = 1.0
random.seed(int(os.environ["ASSAY_SEED"]))
with open(${JSON.stringify(join(host, LINES))}, "a") as file: file.write("one\\n")
trained = len(open(${JSON.stringify(join(host, LINES))}).readlines())
${after}
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": X + random.gauss(0, 0.01)}, file)
`;

let world: World;
let model: ScriptedServer;
let host: string;
let env: Record<string, string>;
beforeAll(async () => {
  world = await openWorld();
  host = await mkdtemp(join(tmpdir(), 'assay-claim-order-'));
  await pushTask(world, 'plain', seeded, { 'recipe/train.py': recipe(host, '') });
  await pushTask(world, 'fifth', seeded, {
    'recipe/train.py': recipe(host, `if trained == ${FIFTH}: sys.exit(1)`),
  });
  const better = [edit('X = 1.0', 'X = 2.0'), submit('better')];
  model = await startScriptedServer([
    ...better,
    ...better,
    async () => {
      await until('the claim at the milestone', () => claimOf('milestone').catch(() => null));
      return edit('X = 2.0', 'X = 1.5');
    },
    submit('worse'),
    ...better,
  ]);
  env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key', ASSAY_TIER: 'E' };
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
  await rm(host, { recursive: true, force: true });
});

const INPUT = { model: 'scripted', specialists: ['solo'], trials: 1, trainHeartbeatSeconds: 10 };

async function claimOf(name: string) {
  const { owner } = await world.campaign(name);
  const claim = await world.lineage.claims.get(owner, 0);
  return { claim, runs: await world.lineage.replicates.many(claim.replicates) };
}

function expectOrder(runs: readonly ReplicateDocument[]): void {
  const trained = runs.map((run) => run.trained?.at.getTime() ?? Infinity);
  const seen = runs.flatMap(({ evaluated }) => evaluated?.runs ?? []);
  expect(seen).toHaveLength(runs.length);
  const first = Math.min(...seen.map(({ startedAt }) => startedAt.getTime()));
  expect(Math.max(...trained)).toBeLessThanOrEqual(first);
}

it('trains all runs of a claim before any of them is evaluated, also when their worker is killed', async () => {
  const worker = world.worker(env);
  await worker.ready;
  const handle = await world.start('killed', { ...INPUT, task: 'plain', claim: { runs: 3 } });
  await until('a trained run of the claim', async () => {
    const found = await claimOf('killed').catch(() => null);
    return found?.runs.some(({ trained }) => trained !== null) === true ? true : null;
  });
  await worker.kill('SIGKILL');
  await world.worker(env).ready;
  expect(await handle.result()).toMatchObject({ state: 'finished' });
  const { claim, runs } = await claimOf('killed');
  expect(claim).toMatchObject({ void: null, result: { gained: true } });
  expect(claim.sealed?.map(({ replicate }) => replicate).sort()).toEqual([...claim.replicates].sort());
  expect(runs).toHaveLength(6);
  expectOrder(runs);
});

it('does the same for a claim at a milestone while the search continues', async () => {
  const handle = await world.start('milestone', {
    ...INPUT,
    trials: 2,
    task: 'plain',
    // with two runs an arm the interval may be wider than the gain
    claim: { runs: 3, at: [1] },
  });
  expect(await handle.result()).toMatchObject({ state: 'finished' });
  const { claim, runs } = await claimOf('milestone');
  expect(claim).toMatchObject({ void: null, result: { gained: true } });
  expectOrder(runs);
});

it('evaluates nothing of a claim of which one training fails', async () => {
  await writeFile(join(host, LINES), '');
  const handle = await world.start('fails', { ...INPUT, task: 'fifth', claim: { runs: 3 } });
  expect(await handle.result()).toMatchObject({ state: 'finished' });
  const { claim, runs } = await claimOf('fails');
  expect(claim.void).toMatch(/^run \d of the (start|frontier) ended as crash: exited with code 1$/);
  expect(claim.sealed).toBeNull();
  expect(runs.filter(({ trained }) => trained !== null).length).toBeGreaterThanOrEqual(3);
  expect(runs.map(({ evaluated }) => evaluated)).toEqual(runs.map(() => null));
  const lines = (await readFile(join(host, LINES), 'utf8')).trim().split('\n');
  expect(lines.length).toBeLessThan(8);
});
