import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { trainActivities, type RunRef } from '../../activities/train.js';
import { AssayError } from '../../src/domain/errors.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { IMAGES, PARTS } from '../fixtures/tiny.js';
import { openWorld, type World } from '../workflows/world.js';

let world: World;
let hosts: RealHosts;
beforeAll(async () => {
  world = await openWorld();
  for (const [folder, change] of [
    [IMAGES, (yaml: string) => yaml],
    [PARTS, (yaml: string) => yaml],
  ] as const) {
    const files = await readFolder(folder, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
    const yaml = change(files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '');
    await world.lineage.tasks.push(parseTask(yaml, 'task.yaml'), files, 'person');
  }
  hosts = new RealHosts(world.lineage);
});
beforeEach(() => {
  hosts.runs.length = 0;
});
afterAll(async () => {
  // no workflow runs here
  await world.stop([/it has no status, its workflow is missing/]);
  await hosts.remove();
});

/** Runs an activity as a worker does. */
const as = <R>(attempt: () => Promise<R>): Promise<R> =>
  new MockActivityEnvironment({ taskQueue: 'assay-eval-cpu' }).run(attempt);
const train = (host: HostContext, of: Partial<RunRef> & { owner: string }) =>
  as(() => trainActivities(host).train({ number: 0, index: 0, purpose: 'search', ...of }));

/** A host that keeps all outputs itself, and is lost as it runs what ends like this. */
async function keeping(name: string, lostAt: string): Promise<HostContext> {
  const host = await hosts.open(name, MACHINE);
  Object.defineProperty(host.kept, 'storedUpTo', { value: 0 });
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = (request) =>
    request.id.endsWith(lostAt) ? Promise.reject(new AssayError('HOST_FAULT', 'gone')) : run(request);
  return host;
}

async function measured(owner: string) {
  const { replicates } = await world.lineage.trials.require(owner, 0);
  const [only] = await world.lineage.replicates.many(replicates);
  if (only === undefined) throw new Error('the start has no measurement');
  return only;
}
const keptBy = async (owner: string) =>
  ((await measured(owner)).processes ?? [])
    .map(({ process, onHost }) => [process, onHost?.host])
    .sort(([a], [b]) => Number(a) - Number(b));

const ran = (): string[] => hosts.runs.flatMap((id) => /\/(train-\d)$/.exec(id)?.[1] ?? []);

it('goes on where most finished processes are kept, and replaces those that are out of reach', async () => {
  const owner = await runningCampaign(world, 'kept-processes', { task: 'images' });
  const lost = { code: 'HOST_FAULT' };
  const one = await keeping('one', '/train-2');
  await expect(train(one, { owner })).rejects.toMatchObject(lost);
  expect(await keptBy(owner)).toEqual([
    [0, 'one'],
    [1, 'one'],
  ]);
  const two = await keeping('two', '/train-1');
  expect(await train(two, { owner })).toEqual({ next: 'there', place: one.kept.place });
  // that host is asked in vain, and may not do it
  const asked = { owner, tried: one.kept.place.folder, refused: true } as const;
  hosts.runs.length = 0;
  await expect(train(two, asked)).rejects.toMatchObject(lost);
  expect(ran()).toEqual(['train-0']);
  expect(await keptBy(owner)).toEqual([[0, 'two']]);
  expect((await measured(owner)).faults.map(({ code }) => code)).toContain('CHECKPOINT_LOST');
  const three = await keeping('three', '/none');
  expect(await train(three, { owner })).toEqual({ next: 'there', place: two.kept.place });
  hosts.runs.length = 0;
  const again = await hosts.open('two', MACHINE);
  expect(await train({ ...again, kept: two.kept }, { owner })).toMatchObject({ next: 'evaluate' });
  expect(ran()).toEqual(['train-1', 'train-2']);
});

it('replaces a kept process that is out of reach of the host that trains it again', async () => {
  const owner = await runningCampaign(world, 'replaced', { task: 'images' });
  const lost = { code: 'HOST_FAULT' };
  await expect(train(await keeping('one', '/train-1'), { owner })).rejects.toMatchObject(lost);
  const { _id: key, fence } = await measured(owner);
  const [kept] = (await measured(owner)).processes ?? [];
  if (kept?.onHost == null) throw new Error('the first process was not kept on its host');
  const onHost = { host: 'two', folder: 'of-two', gone: null };
  await world.lineage.replicates.keepProcess(key, { ...kept, onHost });
  expect(await keptBy(owner)).toEqual([[0, 'two']]);
  // of an attempt that was overtaken
  await world.lineage.replicates.keepProcess(key, { ...kept, fence: fence - 1 });
  expect(await keptBy(owner)).toEqual([[0, 'two']]);
});

it('has the progress of a training that an earlier attempt has finished', async () => {
  const owner = await runningCampaign(world, 'progress-kept', { task: 'parts' });
  const lost = await keeping('one', '/pack');
  await expect(train(lost, { owner })).rejects.toMatchObject({ code: 'HOST_FAULT' });
  hosts.runs.length = 0;
  const again = await hosts.open('one', MACHINE);
  expect(await train({ ...again, kept: lost.kept }, { owner })).toMatchObject({ next: 'evaluate' });
  expect(hosts.runs.filter((id) => /\/(train|pack)$/.test(id)).map((id) => id.split('/').at(-1))).toEqual([
    'pack',
  ]);
  const { trained } = await measured(owner);
  expect(trained?.progress.at(-1)).toMatchObject({ share: 1 });
});
