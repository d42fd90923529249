import { mkdtemp, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { loadTask } from '../../src/tasks/load.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { seeded, TINY } from '../fixtures/tiny.js';
import { startScriptedServer, use, type ScriptedServer } from '../model/scripted-server.js';
import { replayAll } from './replaying.js';
import { submit } from './script.js';
import { openWorld, until, type World } from './world.js';

/** The tiny task with a noise that comes of the seed. */
const NOISY = `
import json, os, random
X = 1.0  # knob: -10..10
random.seed(int(os.environ["ASSAY_SEED"]))
noise = random.gauss(0, 0.01)
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file:
    json.dump({"x": X + noise}, file)
`;
const FIXED = NOISY.replace('int(os.environ["ASSAY_SEED"])', '7').replace('X = 1.0', 'X = 2.0');
let world: World;
let model: ScriptedServer;
let folder: string;
beforeAll(async () => {
  world = await openWorld();
  folder = await mkdtemp(join(tmpdir(), 'assay-noisy-'));
  await cp(TINY, folder, { recursive: true });
  await writeFile(join(folder, 'recipe/train.py'), NOISY);
  const yaml = await readFile(join(folder, 'task.yaml'), 'utf8');
  await writeFile(join(folder, 'task.yaml'), seeded(yaml).replace('name: tiny', 'name: noisy'));
  const { spec, files } = await loadTask(folder);
  await world.lineage.tasks.push(spec, files, 'person');
  const recipe = (text: string) => ({
    blocks: [use(EDIT_TOOL, { command: 'create', path: 'train.py', file_text: text })],
  });
  const step = (text: string) => [recipe(text), submit('another recipe')];
  model = await startScriptedServer([
    ...step(NOISY.replace('X = 1.0', 'X = 2.0')),
    ...step(NOISY.replace('X = 1.0', 'X = 2.0')),
    async () => {
      const { owner } = await world.campaign('steps');
      await until('the first claim', async () => world.lineage.claims.find(owner, 0));
      return recipe(NOISY.replace('X = 1.0', 'X = 2.5'));
    },
    submit('another recipe'),
    ...step(NOISY.replace('X = 1.0', 'X = 0.9')),
    ...step(FIXED),
    ...step(FIXED),
  ]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key' };
  await world.worker(env).ready;
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
  await rm(folder, { recursive: true, force: true });
});

const INPUT = {
  task: 'noisy',
  model: 'scripted',
  specialists: ['solo'],
  trials: 1,
  rule: 'posterior',
  claim: { runs: 4 },
  trainHeartbeatSeconds: 10,
};

it('measures the start before the search, and what it gained on fresh seeds after it', async () => {
  const handle = await world.start('gains', INPUT);
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 1 });
  const { owner } = await world.campaign('gains');
  const start = await world.lineage.trials.require(owner, 0);
  const [gain] = await world.trials('gains');
  expect(start.replicates).toHaveLength(5);
  expect(gain?.status).toBe('keep');
  const claimed = await world.lineage.claims.get(owner, 0);
  expect(claimed.void).toBeNull();
  expect(claimed).toMatchObject({ start: 0, frontier: 1, runs: 4, result: { gained: true } });
  const fresh = await world.lineage.replicates.many(claimed.replicates);
  expect(fresh.map(({ purpose }) => purpose)).toEqual(Array.from({ length: 8 }, () => 'claim'));
  const search = await world.lineage.replicates.many([...start.replicates, ...(gain?.replicates ?? [])]);
  const seeds = [...search, ...fresh].map(({ seed }) => seed);
  expect(new Set(seeds).size).toBe(seeds.length);
  const status = await statusModel(world.lineage, 'gains');
  expect(status.claim).toMatchObject({ state: 'measured', gained: true, runs: 4, confidence: 0.99 });
  const rows = await world.lineage.budgets.rows(owner, 1000);
  expect(rows.filter(({ role }) => role === 'claim')).toHaveLength(8);
}, 120_000);

it('claims at a milestone too while the search continues, each on seeds of its own and with its share of the error', async () => {
  const handle = await world.start('steps', { ...INPUT, trials: 2, claim: { runs: 3, at: [1] } });
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 2, frontier: 't00002' });
  const { owner } = await world.campaign('steps');
  const claims = await world.lineage.claims.list(owner);
  expect(claims).toMatchObject([
    { number: 0, frontier: 1, result: { gained: true, confidence: 0.995 } },
    { number: 1, frontier: 2, result: { gained: true, confidence: 0.995 } },
  ]);
  const runs = await world.lineage.replicates.many(claims.flatMap(({ replicates }) => replicates));
  expect(new Set(runs.map(({ seed }) => seed)).size).toBe(12);
  const { claim, remark } = await statusModel(world.lineage, 'steps');
  // the claim is measured on data that the search has selected on, so no error rate holds
  expect(claim).toMatchObject({
    state: 'measured',
    trial: 't00002',
    error: null,
    data: 'search',
    decided: 2,
  });
  expect(remark).toMatch(
    /99\.5 % interval .*; the seeds are fresh, but the data is that on which the search has selected 2 times: /,
  );
  expect(remark).not.toContain('probability');
  expect((await world.lineage.budgets.get(owner)).open).toEqual({});
  expect(await replayAll(world, ['steps'], ['campaign'])).toHaveLength(1);
}, 120_000);

it('claims nothing where the frontier is the start', async () => {
  const handle = await world.start('nothing', INPUT);
  expect(await handle.result()).toMatchObject({ state: 'finished', frontier: 't00000' });
  const { owner } = await world.campaign('nothing');
  expect(await world.lineage.claims.list(owner)).toEqual([]);
  expect((await statusModel(world.lineage, 'nothing')).claim).toMatchObject({ state: 'none' });
}, 120_000);

it('counts the runs of a recipe that fixes its seed as one, and says so', async () => {
  const handle = await world.start('fixed', { ...INPUT, rule: 'threshold', claim: { runs: 0 } });
  await handle.result();
  const [fixed] = await world.trials('fixed');
  expect(fixed).toMatchObject({ status: 'discard', outcome: { labels: ['seed-fixed'], failure: null } });
  expect(fixed?.outcome?.lesson).toContain('in 2 runs that count as one (seed-fixed)');
  expect(fixed?.replicates).toHaveLength(2);
  const { owner } = await world.campaign('fixed');
  expect(await world.lineage.decisions.of(owner, 1)).toMatchObject({
    inputs: { alike: true },
    result: { standing: { runs: 1 } },
  });
}, 120_000);

it('gives no interval for a recipe that fixes its seed, though one run was enough to adopt it', async () => {
  const handle = await world.start('lucky', { ...INPUT, rule: 'greedy' });
  await handle.result();
  const { owner } = await world.campaign('lucky');
  expect((await world.trials('lucky'))[0]).toMatchObject({ status: 'keep' });
  const claimed = await world.lineage.claims.get(owner, 0);
  expect(claimed).toMatchObject({ void: null, result: { kind: 'deterministic', because: 'seed-fixed' } });
  const { claim, remark } = await statusModel(world.lineage, 'lucky');
  expect(claim).toMatchObject({ state: 'measured', confidence: null, error: null, better: true });
  expect(remark).toMatch(
    /^one deterministic measurement \(seed-fixed\), no interval: t00001 against the start/,
  );
  model.assertDone();
}, 120_000);

it('refuses an accelerator budget that the claim alone could use up', async () => {
  const handle = await world.start('poor', { ...INPUT, acceleratorSeconds: 300, claim: { runs: 8 } });
  const failed: unknown = await handle.result().catch((error: unknown) => error);
  expect(String(failed instanceof Error ? failed.cause : failed)).toContain(
    'acceleratorSeconds: the 16 fresh runs of what is claimed can take',
  );
});

it('waits for a person where the start misses a gate, and searches from it when told to', async () => {
  const gated = await mkdtemp(join(tmpdir(), 'assay-gated-'));
  await cp(folder, gated, { recursive: true });
  const yaml = await readFile(join(gated, 'task.yaml'), 'utf8');
  await writeFile(
    join(gated, 'task.yaml'),
    yaml
      .replace('name: noisy', 'name: gated')
      .replace(
        'gates:\n',
        'gates:\n  - { name: low, metric: loss, max: 3, known: evaluate, test: statistical }\n',
      ),
  );
  const { spec, files } = await loadTask(gated);
  await world.lineage.tasks.push(spec, files, 'person');
  await rm(gated, { recursive: true });
  const handle = await world.start('gated', {
    ...INPUT,
    task: 'gated',
    model: 'offline-proposer',
    trials: 2,
    claim: { runs: 0 },
  });
  const blocked = await until('the campaign to be blocked', async () => {
    const campaign = await world.campaign('gated').catch(() => null);
    if (campaign === null) return null;
    return campaign.state === 'blocked' ? campaign : null;
  });
  expect(blocked.reason).toMatch(/^the start recipe misses a gate \(low: loss is .* allowed is at most 3/);
  expect((await world.lineage.trials.require(blocked.owner, 0)).replicates).toHaveLength(5);
  await handle.signal('resume');
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 2 });
  const first = await world.lineage.decisions.from(blocked.owner, 1, 1);
  expect(first[0]).toMatchObject({ trial: 0, frontier: { eligible: false } });
}, 180_000);
