import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { openWorld, type World } from './world.js';

let world: World;
let connection: NativeConnection;
beforeAll(async () => {
  world = await openWorld();
  connection = await NativeConnection.connect({ address: inject('temporalAddress') });
});
afterAll(async () => {
  await world.stop();
  await connection.close();
});

/** Runs a trial whose decision is refused by the store a number of times; returns its result and what it asked for. */
async function decided(name: string, refusals: number, controls: readonly string[]) {
  const asked: string[] = [];
  const left = [...controls];
  const activities = {
    prepare: () => ({ next: 'decide' }),
    decide: () => {
      asked.push('decide');
      if (asked.filter((what) => what === 'decide').length <= refusals)
        throw ApplicationFailure.nonRetryable('a document is too large', 'STORE_REFUSED');
      return { status: 'discard', score: 1, number: 1 };
    },
    block: ({ reason }: { reason: { what: string; text: string } }) => {
      asked.push(`block: ${reason.what}: ${reason.text}`);
      return left.shift();
    },
    awaitControl: () => {
      asked.push('wait');
      return 'running';
    },
  };
  const { client, namespace } = world;
  const on = (taskQueue: string) => Worker.create({ connection, namespace, taskQueue, activities });
  const workers = [
    await on('assay-eval-cpu'),
    await on('assay-wait'),
    await Worker.create({
      ...{ connection, namespace, activities },
      ...{ taskQueue: 'assay', workflowBundle: await workflowBundle() },
    }),
  ];
  const running = workers.map((worker) => worker.run());
  const frozen = frozenOf(name, `${namespace}/run`);
  const result: unknown = await client.workflow
    .execute('trial', {
      taskQueue: 'assay',
      workflowId: `${name}/t00001`,
      args: [{ frozen, number: 1, role: 'solo' }],
    })
    .catch((error: unknown) => error);
  for (const worker of workers) worker.shutdown();
  await Promise.all(running);
  return { result, asked };
}

const BLOCKED = 'block: deciding on trial 1: a document is too large';

it('a decision that the store refuses blocks the campaign, and is made when a person resumes it', async () => {
  const { result, asked } = await decided('resumed', 2, ['blocked', 'blocked']);
  expect(result).toMatchObject({ status: 'discard' });
  expect(asked).toEqual(['decide', BLOCKED, 'wait', 'decide', BLOCKED, 'wait', 'decide']);
});

it('in a campaign that stops, the trial ends with that failure', async () => {
  const { result, asked } = await decided('stopping', 9, ['stopping']);
  expect(result).toMatchObject({ name: 'WorkflowFailedError' });
  expect(asked).toEqual(['decide', BLOCKED]);
});
