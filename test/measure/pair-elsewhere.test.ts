import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { trainActivities } from '../../activities/train.js';
import { AssayError } from '../../src/domain/errors.js';
import type { HostContext } from '../../src/measure/host-context.js';
import { placeOfStart } from '../../src/measure/phases/baseline-timing.js';
import { isBegunElsewhere, unpaired } from '../../src/measure/phases/pairs.js';
import { readFolder } from '../../src/tasks/folder.js';
import { parseTask } from '../../src/tasks/load.js';
import { MACHINE } from '../builders/machine.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { IMAGES } from '../fixtures/tiny.js';
import { openWorld, type World } from '../workflows/world.js';

/** Compared by time, in one process. */
const timed = (yaml: string): string =>
  yaml
    .replace('replicate: { processes: 3 }\n', '')
    .replace('scoring:', 'gates: [{ name: time, metric: train_ratio, max: 100, known: train }]\nscoring:');

let world: World;
let hosts: RealHosts;
beforeAll(async () => {
  world = await openWorld();
  const files = await readFolder(IMAGES, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const yaml = timed(files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '');
  await world.lineage.tasks.push(parseTask(yaml, 'task.yaml'), files, 'person');
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
const train = (host: HostContext, of: { owner: string; index: number }) =>
  as(() => trainActivities(host).train({ ...of, number: 0, purpose: 'search' }));

const ran = (): string[] => hosts.runs.flatMap((id) => /\/((?:train|control)\S*)$/.exec(id)?.[1] ?? []);

/** The first run of the start that is timed before the start beside it, and was lost between the two on this host. */
async function lostBetween(host: HostContext, name: string) {
  const owner = await runningCampaign(world, name, { task: 'images' });
  const { secret, frozen } = await world.lineage.campaigns.byOwner(owner);
  const { snapshot } = await world.lineage.trials.require(owner, 0);
  const { spec } = await world.lineage.tasks.get(frozen.task.digest);
  const index = [0, 1].find(
    (at) => placeOfStart(spec, secret, { snapshot, purpose: 'search', index: at, process: 0 }) === 'after',
  );
  if (index === undefined) throw new Error('of two pairs in a row one begins with the candidate');
  const run = host.sandbox.run.bind(host.sandbox);
  host.sandbox.run = (request) =>
    request.id.endsWith('/control') ? Promise.reject(new AssayError('HOST_FAULT', 'gone')) : run(request);
  await expect(train(host, { owner, index })).rejects.toMatchObject({ code: 'HOST_FAULT' });
  host.sandbox.run = run;
  expect(ran()).toEqual(['train']);
  hosts.runs.length = 0;
  const measured = async () => {
    const { replicates } = await world.lineage.trials.require(owner, 0);
    const [only] = await world.lineage.replicates.many(replicates);
    return only;
  };
  expect((await measured())?.checkpoint?.run).toMatchObject({
    startMs: null,
    pair: { host: host.host.name },
  });
  return { owner, index, measured };
}

it('finishes a pair on the host where it was begun', async () => {
  const host = await hosts.open('one', MACHINE);
  const { measured, ...of } = await lostBetween(host, 'pair-here');
  expect((await train(host, of)).next).toBe('evaluate');
  expect(ran()).toEqual(['control']);
  expect((await measured())?.trained?.runs[0]?.pair?.host).toBe('one');
});

it('measures a pair anew on another host than the one where it was begun', async () => {
  const { measured, ...of } = await lostBetween(await hosts.open('one', MACHINE), 'pair-there');
  expect((await train(await hosts.open('two', MACHINE), of)).next).toBe('evaluate');
  expect(ran()).toEqual(['train', 'control']);
  expect((await measured())?.trained?.runs.map(({ pair }) => pair?.host)).toEqual(['two']);
});

it('takes a pair for begun elsewhere where its accelerators were others', async () => {
  const files = await readFolder(IMAGES, { maxFiles: 100, maxFileBytes: 1e6, code: 'TASK_INVALID' });
  const yaml = timed(files.find(({ path }) => path === 'task.yaml')?.bytes.toString() ?? '');
  const task = parseTask(yaml.replace('pool: cpu, slots: 1', 'pool: gpu, gpus: 1'), 'task.yaml');
  const { host } = await hosts.open('one', MACHINE);
  const used = (uuid: string) => ({
    ...{
      uuid,
      name: '',
      peakMemoryBytes: 0,
      utilisation: null,
      clockMhz: null,
      throttled: [],
      throttledInTime: [],
      samples: [],
    },
  });
  const lease = { accessTo: () => ({ uuids: ['a'], nodes: [], readable: [] }) };
  const begun = (uuid: string) => {
    const run = { pair: unpaired({ host }, 0), startMs: null, devices: [used(uuid)] };
    return isBegunElsewhere({ host, granted: lease }, task, run);
  };
  expect([begun('a'), begun('b')]).toEqual([false, true]);
});
