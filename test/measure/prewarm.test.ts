import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { trainActivities } from '../../activities/train.js';
import { AssayError } from '../../src/domain/errors.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { pushTask } from '../bad-input/test-task.js';
import { openWorld, until, type World } from '../workflows/world.js';

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
/** Serves its artifact, and packs what training left. */
const served = (tiny: string): string =>
  yaml(tiny)
    .replace('scoring: direct', 'scoring: served')
    .replace(
      '  train:\n',
      `  serve: { run: 'true', startup_s: 1 }
  pack: { run: 'cp "$ASSAY_INPUT/x.json" "$ASSAY_OUTPUT"', timeout_s: 20, output: artifact/, reads: ['out/'] }
  train:\n`,
    );
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
  await pushTask(world, 'warm-served', served, files);
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

/** Runs an activity as a worker does. */
const as = <R>(attempt: () => Promise<R>): Promise<R> =>
  new MockActivityEnvironment({ taskQueue: 'assay-eval-cpu' }).run(attempt);

/** Trains a run of the start of a campaign on a host. */
const trainOn = (on: HostContext, owner: string, index: number) =>
  as(() => trainActivities(on).train({ owner, number: 0, index, purpose: 'search' }));

async function measured(owner: string) {
  const { replicates } = await world.lineage.trials.require(owner, 0);
  return world.lineage.replicates.many(replicates);
}

it('keeps nobody waiting for a cache that could not be kept', async () => {
  const owner = await runningCampaign(world, 'full', { task: 'warm' });
  const full = { storedUpTo: { value: 0 }, makeRoom: { value: () => Promise.resolve(false) } };
  const first = Object.defineProperties(host.kept, full);
  expect(first.storedUpTo).toBe(0);
  const run = host.sandbox.run.bind(host.sandbox);
  let goOn = (): void => undefined;
  const waited = new Promise<void>((resolve) => (goOn = resolve));
  host.sandbox.run = async (request) => {
    if (request.id.endsWith('/train')) await waited;
    return run(request);
  };
  const gaveUp = vi.spyOn(world.lineage.phases, 'leaveUnkept');
  const training = trainOn(host, owner, 0);
  await until('its cache to be given up', () =>
    Promise.resolve(gaveUp.mock.settledResults.some(({ type }) => type === 'fulfilled') || null),
  );
  const second = await hosts.open('second', MACHINE);
  // it would wait for the first to end
  expect((await trainOn(second, owner, 1)).next).toBe('evaluate');
  goOn();
  expect((await training).next).toBe('evaluate');
  expect(ran().filter((name) => name === 'prewarm')).toHaveLength(2);
});

it('gives servers the cache where no phase can be shared', async () => {
  const owner = await runningCampaign(world, 'unshared', { task: 'warm-served' });
  const isolation = { ...host.sandbox.isolation, fs: 'advisory' };
  Object.defineProperty(host.sandbox, 'isolation', { value: isolation });
  expect((await trainOn(host, owner, 0)).next).toBe('evaluate');
  const [only] = await measured(owner);
  expect(only?.trained?.cache?.files.map(({ path }) => path)).toContain('parts/forward');
  expect(ran().filter((name) => name === 'prewarm')).toHaveLength(1);
  const files = only?.trained?.cache?.files ?? [];
  for (const { sha256 } of files) expect(await world.lineage.blobs.has(sha256)).toBe(true);
});

it('does not fill a cache again for an attempt that only packs, or has nothing left to train', async () => {
  const owner = await runningCampaign(world, 'again', { task: 'warm-served' });
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = (request) =>
    request.id.endsWith('/pack') ? Promise.reject(new AssayError('HOST_FAULT', 'gone')) : run(request);
  await expect(trainOn(host, owner, 0)).rejects.toMatchObject({ code: 'HOST_FAULT' });
  host.sandbox.run = run;
  hosts.runs.length = 0;
  expect((await trainOn(host, owner, 0)).next).toBe('evaluate');
  expect(hosts.runs.map((id) => id.split('/').at(-1))).toEqual(['pack']);
  const [only] = await measured(owner);
  expect(only?.trained?.runs.map(({ phase }) => phase)).toEqual(['train', 'pack']);

  const pairs = await runningCampaign(world, 'again-pairs', { task: 'warm-pairs' });
  const publish = vi.spyOn(world.lineage.replicates, 'publishTrained');
  publish.mockRejectedValueOnce(new AssayError('HOST_FAULT', 'gone'));
  await expect(trainOn(host, pairs, 0)).rejects.toMatchObject({ code: 'HOST_FAULT' });
  hosts.runs.length = 0;
  expect((await trainOn(host, pairs, 0)).next).toBe('evaluate');
  expect(hosts.runs).toEqual([]);
  const [restored] = await measured(pairs);
  expect(restored?.trained?.runs.map(({ phase, process }) => [phase, process])).toEqual([
    ['train', 0],
    ['train', 1],
  ]);
});
