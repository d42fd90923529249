import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { trainActivities } from '../../activities/train.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { pushTask } from '../bad-input/test-task.js';
import { openWorld, type World } from '../workflows/world.js';

/** Compiles each of its parts once into a cache that it has to be able to write, and counts what it finds there. */
const COMPILE = `
import json, os
cache = os.environ["ASSAY_CACHE"]
def compiled(part):
    with open(os.path.join(cache, "lock"), "w") as lock: lock.write(part)
    place = os.path.join(cache, "parts", part)
    if os.path.exists(place): return "hits"
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with open(place, "w") as file: file.write(part)
    return "misses"
`;
const TRAIN = `from compile import *
had_lock_of = open(os.path.join(cache, "lock")).read()
counts = {"hits": 0, "misses": 0, "cache": cache, "lock": had_lock_of}
for part in ("forward", "backward", "of-training"): counts[compiled(part)] += 1
print(json.dumps(counts))
with open(os.path.join(os.environ["ASSAY_OUTPUT"], "x.json"), "w") as file: json.dump({"x": 1.0}, file)
`;
const WARM = `from compile import *
assert "ASSAY_DATA" not in os.environ and "ASSAY_OUTPUT" not in os.environ and not os.path.exists("train.py")
for part in ("forward", "backward"): assert compiled(part) == "misses"
`;

const yaml = (tiny: string): string =>
  tiny
    .replace(
      '  train:\n',
      "  prewarm: { run: 'python warm.py', timeout_s: 30, data: synthetic, output: cache/, reads: [warm.py, compile.py], resources: { memory_mb: 300 } }\n  train:\n",
    )
    .replace("reads: ['train.py']", "reads: ['*.py', 'cache/']")
    .replace('replicate: { deterministic: true }\n', '');
const paired = (tiny: string): string =>
  yaml(tiny)
    .replace('metric: bytes, max: 2000', 'metric: train_ratio, max: 100')
    .concat('replicate: { processes: 2 }\n');

let world: World;
let hosts: RealHosts;
let host: HostContext;
beforeAll(async () => {
  world = await openWorld();
  const files = { 'recipe/train.py': TRAIN, 'recipe/warm.py': WARM, 'recipe/compile.py': COMPILE };
  await pushTask(world, 'warm', yaml, files);
  await pushTask(world, 'warm-pairs', paired, files);
  await pushTask(world, 'cold', yaml, { ...files, 'recipe/warm.py': 'raise SystemExit("no compiler here")' });
  hosts = new RealHosts(world.lineage);
});
beforeEach(async () => {
  hosts.runs.length = 0;
  host = await hosts.open('host', MACHINE);
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = (request) => {
    limits.set(request.id.split('/').at(-1) ?? '', request.limits.memoryBytes / 2 ** 20);
    return run(request);
  };
});
afterAll(async () => {
  // no workflow runs here
  await world.stop([/it has no status, its workflow is missing/]);
  await hosts.remove();
});

/** Limits of memory in MiB by the phase that was run. */
const limits = new Map<string, number>();

/** Trains the first runs of the start of a task; gives their documents. */
async function trained(task: string, runs = 1) {
  const owner = await runningCampaign(world, `of-${task}`, { task });
  for (let index = 0; index < runs; index += 1)
    await new MockActivityEnvironment({ taskQueue: 'assay-eval-cpu' }).run(() =>
      trainActivities(host).train({ owner, number: 0, index, purpose: 'search' }),
    );
  const { replicates } = await world.lineage.trials.require(owner, 0);
  const found = await world.lineage.replicates.many(replicates);
  return found.sort((a, b) => a.index - b.index).flatMap((one) => one.trained ?? []);
}

const ran = (): string[] =>
  hosts.runs.flatMap((id) => /\/((?:prewarm|train|control)\S*)$/.exec(id)?.[1] ?? []);

it('fills a cache once for all runs of one key, and gives each process a copy that it may write', async () => {
  const [first, second] = await trained('warm', 2);
  expect(ran()).toEqual(['prewarm', 'train', 'train']);
  for (const one of [first, second]) {
    expect(one?.failure).toBeNull();
    const log = (await world.lineage.blobs.text(one?.runs.at(-1)?.log ?? '')).trim();
    // the lock is the prewarm's: no process sees what another one wrote
    expect(JSON.parse(log)).toEqual({
      hits: 2,
      misses: 1,
      cache: expect.any(String) as string,
      lock: 'backward',
    });
  }
  expect(first?.runs.map(({ phase, reusedFrom }) => [phase, reusedFrom])).toEqual([
    ['prewarm', null],
    ['train', null],
  ]);
  expect(second?.runs.map(({ phase, reusedFrom }) => [phase, reusedFrom])).toEqual([
    ['prewarm', 0],
    ['train', null],
  ]);
  expect(second?.saved.map(({ kind, phase }) => [kind, phase])).toEqual([['reuse', 'prewarm']]);
  expect([limits.get('prewarm'), limits.get('train')]).toEqual([300, 256]);
  // its time is on no clock of training
  const wall = first?.runs.find(({ phase }) => phase === 'train')?.wallMs ?? NaN;
  expect(first?.metrics['train_s']).toBe(wall / 1000);
});

it('fills it for the start beside a training as well, whose processes get copies of their own', async () => {
  const [only] = await trained('warm-pairs');
  expect(only?.failure).toBeNull();
  expect(ran().sort()).toEqual(['control-0', 'control-1', 'prewarm', 'train-0', 'train-1']);
  const logs = await Promise.all((only?.runs ?? []).slice(1).map(({ log }) => world.lineage.blobs.text(log)));
  for (const log of logs) expect(JSON.parse(log)).toMatchObject({ hits: 2, misses: 1, lock: 'backward' });
});

it('ends a trial whose prewarm fails, with its log', async () => {
  const [only] = await trained('cold');
  expect(ran()).toEqual(['prewarm']);
  expect(only?.failure).toMatchObject({
    ...{ status: 'crash', phase: 'prewarm', reason: 'exited with code 1' },
    tail: 'no compiler here',
  });
  expect(only?.runs.map(({ phase }) => phase)).toEqual(['prewarm']);
});
