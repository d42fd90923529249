import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { PhaseRun } from '../../src/lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import { pushTask } from '../bad-input/test-task.js';
import { seeded } from '../fixtures/tiny.js';
import { startScriptedServer, type ScriptedServer } from '../model/scripted-server.js';
import { edit, submit } from './script.js';
import { openWorld, until, type World } from './world.js';

vi.setConfig({ testTimeout: 240_000 });

/** Writes down on its host, which nothing keeps from it here, when it began and ended. */
const notes = (file: string, kind: string): string => `
import atexit, os, random, sys, time
def note(what):
    with open(${JSON.stringify(file)}, "a") as file: file.write(f"{what} ${kind} {os.getpid()}\\n")
note("begin")
atexit.register(note, "end")
`;
const train = (file: string): string => `${notes(file, 'recipe')}
import json
X = 1.0
time.sleep(0.4)
if "--check" in sys.argv: sys.exit(0)
random.seed(int(os.environ["ASSAY_SEED"]))
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": X + random.gauss(0, 0.01)}, file)
`;
const evaluator = (file: string): string => `${notes(file, 'evaluator')}
import json
time.sleep(0.4)
with open(os.path.join(os.environ["ASSAY_ARTIFACT"], "x.json")) as file: x = json.load(file)["x"]
with os.fdopen(int(os.environ["ASSAY_RESULT_FD"]), "w") as out:
    json.dump({"schema": "assay.evaluation/1", "metrics": {"loss": (x - 3) ** 2}, "feedback": ""}, out)
`;

let world: World;
let model: ScriptedServer;
let host: string;
const noted = (name: string): string => join(host, `${name}.txt`);
beforeAll(async () => {
  world = await openWorld();
  host = await mkdtemp(join(tmpdir(), 'assay-exclusive-'));
  for (const [name, exclusive] of [
    ['default', ''],
    ['always', 'exclusive: true'],
    ['never', 'exclusive: false'],
  ] as const)
    await pushTask(
      world,
      name,
      (yaml) =>
        seeded(yaml)
          .replace('python -m py_compile train.py', 'python train.py --check')
          .replace(/^(evaluate: .*) }$/m, exclusive === '' ? '$1 }' : `$1, ${exclusive} }`),
      { 'recipe/train.py': train(noted(name)), 'evaluator/evaluate.py': evaluator(noted(name)) },
    );
  const step = (from: string, to: string) => [edit(from, to), submit('another')];
  const search = [
    ...step('X = 1.0', 'X = 2.0'),
    async () => {
      await until('the claim to be sealed', async () => {
        const claim = await claimOf('claims').catch(() => null);
        return claim?.sealed ?? null;
      });
      return edit('X = 2.0', 'X = 1.5');
    },
    submit('worse'),
    ...step('X = 1.5', 'X = 1.4'),
    ...step('X = 1.4', 'X = 1.3'),
  ];
  model = await startScriptedServer([
    ...search,
    ...step('X = 1.0', 'X = 2.0'),
    ...step('X = 2.0', 'X = 1.2'),
  ]);
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: 'test-key', ASSAY_TIER: 'E' };
  // processes of one host, which know of each other's work by its folder only
  const workers = [
    world.worker(env, ['orchestrator', 'model']),
    world.worker(env, ['trainer']),
    world.worker(env, ['evaluator']),
    world.worker(env, ['evaluator']),
  ];
  await Promise.all(workers.map(({ ready }) => ready));
}, 120_000);
afterAll(async () => {
  await world.stop();
  await model.stop();
  await rm(host, { recursive: true, force: true });
});

const INPUT = { model: 'scripted', specialists: ['solo'], trainHeartbeatSeconds: 10 };

async function claimOf(name: string) {
  const { owner } = await world.campaign(name);
  return world.lineage.claims.get(owner, 0);
}

/** From its first run to the end of its last, by the clock of the one host. */
function span(runs: readonly PhaseRun[]): [number, number] {
  const starts = runs.map(({ startedAt }) => startedAt.getTime());
  const ends = runs.map(({ startedAt, wallMs }) => startedAt.getTime() + wallMs);
  return [Math.min(...starts), Math.max(...ends)];
}

const spansOf = ({ trained, evaluated }: ReplicateDocument): [number, number][] =>
  [trained?.runs ?? [], evaluated?.runs ?? []].filter((runs) => runs.length > 0).map(span);

it('runs nothing else on the host while a run of a claim is evaluated, though the search continues', async () => {
  const handle = await world.start('claims', {
    ...INPUT,
    task: 'default',
    trials: 4,
    claim: { runs: 3, at: [1] },
  });
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 4 });
  const { owner, frozen } = await world.campaign('claims');
  expect(frozen.exclusive).toEqual({ search: false, claim: true });
  const { replicates, result } = await claimOf('claims');
  expect(result).toMatchObject({ gained: true });
  const claimed = await world.lineage.replicates.many(replicates);
  const searched = await world.lineage.replicates.many(
    [await world.lineage.trials.require(owner, 0), ...(await world.trials('claims'))].flatMap(
      (trial) => trial.replicates,
    ),
  );
  const all = [...claimed, ...searched].flatMap(spansOf);
  const alone = claimed.map(({ evaluated }) => span(evaluated?.runs ?? []));
  expect(alone).toHaveLength(6);
  for (const [start, end] of alone) {
    const beside = all.filter(([from, to]) => from < end && start < to);
    expect(beside).toEqual([[start, end]]);
  }
});

it('does so for every evaluation of a task that asks for it', async () => {
  const handle = await world.start('always', {
    ...INPUT,
    task: 'always',
    trials: 2,
    claim: { runs: 2, at: [1] },
  });
  expect(await handle.result()).toMatchObject({ state: 'finished', counted: 2 });
  expect((await world.campaign('always')).frozen.exclusive).toEqual({ search: true, claim: true });
  const running = new Set<string>();
  const lines = (await readFile(noted('always'), 'utf8')).trim().split('\n');
  expect(lines.filter((line) => line.startsWith('begin evaluator')).length).toBeGreaterThanOrEqual(3);
  for (const line of lines) {
    const [what, kind, pid] = line.split(' ');
    const name = `${kind} ${pid}`;
    if (what === 'end') running.delete(name);
    else running.add(name);
    if ([...running].some((one) => one.startsWith('evaluator')))
      expect([...running]).toEqual([...running].slice(0, 1));
  }
  expect([...running]).toEqual([]);
});

it('keeps what the task said with the campaign, for claims too', async () => {
  const handle = await world.start('never', { ...INPUT, task: 'never', trials: 1, specialists: ['solo'] });
  await until('the campaign to be frozen', () => world.lineage.campaigns.find('never'));
  expect((await world.campaign('never')).frozen.exclusive).toEqual({ search: false, claim: false });
  await handle.signal('stop', 'now');
  await handle.result();
});
