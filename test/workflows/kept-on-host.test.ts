import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import { trialWorkflowId } from '../../src/domain/keys.js';
import { systemClock } from '../../src/lineage/clock.js';
import type { Role } from '../../workers/role-names.js';
import type { Fleet } from '../../workers/fleet.js';
import { replayAll } from './replaying.js';
import { openWorld, until, type World } from './world.js';

let world: World;
const homes: string[] = [];
const fleets: Fleet[] = [];
beforeAll(async () => {
  world = await openWorld();
});
afterAll(async () => {
  for (const fleet of fleets) await fleet.stop();
  await world.stop();
  for (const home of homes) await rm(home, { recursive: true, force: true });
});

/** A host that stores no artifact, whatever its size. */
async function openHost(name: string) {
  const home = await mkdtemp(join(tmpdir(), `assay-${name}-`));
  homes.push(home);
  return {
    start: async (...roles: Role[]): Promise<Fleet> => {
      const env = { ASSAY_HOST: name, ASSAY_HOME: home, ASSAY_STORED_MB: '0' };
      const fleet = await world.fleet(env, systemClock, roles);
      fleets.push(fleet);
      return fleet;
    },
    folder: async () => (await readFile(join(home, 'kept', 'id'), 'utf8')).trim(),
  };
}

/** The first run of trial 1: the start's artifact is in the store, for every host. */
async function measured(name: string): Promise<ReplicateDocument | null> {
  const campaign = await world.campaign(name).catch(() => null);
  const trial = campaign === null ? null : await world.lineage.trials.get(campaign.owner, 1);
  const [replicate] = await world.lineage.replicates.many(trial?.replicates ?? []);
  return replicate ?? null;
}

/** Queues of the activities of one type that the workflow of trial 1 has scheduled. */
async function queuesOf(name: string, type: string): Promise<string[]> {
  const { events } = await world.client.workflow.getHandle(trialWorkflowId(name, 1)).fetchHistory();
  return (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: of }) =>
    of?.activityType?.name === type ? [of.taskQueue?.name ?? ''] : [],
  );
}

const input = { task: 'tiny', specialists: ['solo'], trials: 1, trainHeartbeatSeconds: 2, calibration: 1 };

it('an artifact that stays on its host is evaluated there, and trained again where it was lost', async () => {
  const [one, two] = [await openHost('one'), await openHost('two')];
  await (await openHost('office')).start('orchestrator', 'model');
  await two.start('evaluator');
  const trainer = await one.start('trainer');
  // one that is about to evaluate, as its host says, and does not come
  const folder = await one.folder();
  const report = { _id: 'one/cpu/evaluator', host: 'one', pool: 'cpu', roles: ['evaluator'], kept: folder };
  const none = { machine: null, devices: [] };
  const now = { healthy: true, why: null, since: new Date(), at: new Date(), ...none };
  await world.lineage.hosts.report({ ...report, ...now });
  await world.start('lost', input);
  const trained = await until('trial 1 to be trained', async () => {
    const replicate = await measured('lost');
    return replicate?.trained == null ? null : replicate;
  });
  const [file] = trained.trained?.artifact?.files ?? [];
  expect(trained.trained?.artifact?.onHost).toEqual({ host: 'one', folder, gone: null });
  expect(await world.lineage.blobs.has(file?.sha256 ?? '')).toBe(false);

  await trainer.stop();
  await world.lineage.hosts.leave(report._id);
  await two.start('trainer');
  const again = await until('trial 1 to be evaluated', async () => {
    const replicate = await measured('lost');
    return replicate?.evaluated == null ? null : replicate;
  });
  expect(again.faults).toMatchObject([{ what: 'train', code: 'ARTIFACT_LOST', host: 'one' }]);
  expect(again.trained?.artifact?.onHost).toMatchObject({ host: 'two', folder: await two.folder() });
  const queues = await queuesOf('lost', 'evaluate');
  expect(queues).toEqual([
    `assay-host-one-${folder}-eval`,
    'assay-eval-cpu',
    `assay-host-two-${await two.folder()}-eval`,
  ]);
  await world.client.workflow.getHandle('lost').result();
  expect(await replayAll(world, ['lost'], ['trial'])).toEqual(['trial', 'trial']);
});
