import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { leftOpen, NOTHING_OPEN } from './command-lines.js';
import { replayAll } from './replaying.js';
import { openWorld, until, type World } from './world.js';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.stop());

const INPUT = { task: 'tiny', trials: 1, model: 'offline-proposer' };

async function inState(name: string, state: string): Promise<void> {
  await until(`${name} to be ${state}`, async () => {
    const campaign = await world.campaign(name).catch(() => null);
    return campaign?.state === state || null;
  });
}

const idOf = z.object({ _id: z.string() });

/** Does something while the stored budget of a campaign cannot be read. */
async function withBrokenBudget(owner: string, work: () => Promise<void>): Promise<void> {
  const client = await MongoClient.connect(inject('storeUrl'));
  try {
    const budgets = client.db(world.env['ASSAY_MONGODB_DATABASE']).collection<{ _id: string }>('budgets');
    const stored = await budgets.findOne({ _id: owner });
    const { _id } = idOf.parse(stored);
    await budgets.updateOne({ _id }, { $set: { limits: 'unreadable' } });
    await work();
    await budgets.replaceOne({ _id }, { ...stored });
  } finally {
    await client.close();
  }
}

it('keeps signals and updates that come before the freeze, and obeys them after it', async () => {
  const handle = await world.start('early', INPUT);
  await handle.signal('pause', 'lunch');
  const limits = handle.executeUpdate('limits', { args: [{ trials: 2 }], updateId: 'early' });
  const fleet = await world.fleet();
  expect(await limits).toMatchObject({ limits: { trials: 2 } });
  await inState('early', 'paused');
  expect(await handle.query('status')).toMatchObject({ state: 'paused', reason: 'lunch' });
  expect((await world.campaign('early')).controlReason).toBe('lunch');
  await handle.signal('resume');
  await handle.result();
  expect(await world.campaign('early')).toMatchObject({ state: 'finished', reason: 'trials (2 of 2)' });
  expect(await replayAll(world, ['early'], ['campaign'])).toEqual(['campaign']);
  await fleet.stop();
});

it('schedules trainings in the queue of their size, under the priority and name of the campaign', async () => {
  const fleet = await world.fleet();
  const handle = await world.start('first', { ...INPUT, priority: 2 });
  await handle.result();
  const { events } = await world.client.workflow.getHandle('first/t00000').fetchHistory();
  const scheduled = (events ?? []).flatMap(({ activityTaskScheduledEventAttributes: each }) => each ?? []);
  const train = scheduled.find(({ activityType }) => activityType?.name === 'train');
  expect(train).toMatchObject({
    taskQueue: { name: 'assay-train-cpu-x1' },
    priority: { priorityKey: 2, fairnessKey: 'first' },
  });
  expect((await world.campaign('first')).frozen).toMatchObject({ slots: 1, priority: 2 });
  await fleet.stop();
});

it('answers what waits for a campaign that is not frozen with the reason', async () => {
  const handle = await world.start('nowhere', { ...INPUT, trails: 3 });
  const limits = handle.executeUpdate('limits', { args: [{ trials: 2 }] }).catch((error: unknown) => error);
  const fleet = await world.fleet();
  expect(await limits).toMatchObject({
    cause: { type: 'CAMPAIGN_INPUT', message: expect.stringContaining('trails') as string },
  });
  await expect(handle.result()).rejects.toThrow();
  await fleet.stop();
});

it('can be cancelled within the minute after a failed watch', async () => {
  const handle = await world.start('unwatched', INPUT);
  await handle.signal('pause', 'lunch');
  const fleet = await world.fleet();
  await inState('unwatched', 'paused');
  const { owner } = await world.campaign('unwatched');
  await withBrokenBudget(owner, async () => {
    await until('a failed watch', async () => {
      const { events } = await handle.fetchHistory();
      return events?.some((event) => event.activityTaskFailedEventAttributes != null) === true || null;
    });
  });
  await handle.cancel();
  const failed: unknown = await handle.result().catch((error: unknown) => error);
  expect(failed instanceof WorkflowFailedError && failed.cause).toBeInstanceOf(CancelledFailure);
  expect(await world.campaign('unwatched')).toMatchObject({ state: 'stopped', reason: 'cancelled' });
  expect(await leftOpen(world, 'unwatched')).toEqual(NOTHING_OPEN);
  expect(await replayAll(world, ['unwatched'], ['campaign'])).toEqual(['campaign']);
  await fleet.stop();
});
