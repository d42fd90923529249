import { MockActivityEnvironment } from '@temporalio/testing';
import { campaignActivities } from '../../activities/campaign.js';
import { submitActivities } from '../../activities/submit.js';
import { systemClock } from '../../src/lineage/clock.js';
import { pricesFrom } from '../../src/model/pricing.js';
import { askedServer } from '../../workers/reconciling.js';
import type { World } from '../workflows/world.js';

/** Freezes a campaign of the tiny task that runs, with its start submitted, though no workflow runs for it. */
export async function runningCampaign(world: World, name: string, more: object = {}): Promise<string> {
  const { lineage } = world;
  const as = <R>(attempt: () => Promise<R>): Promise<R> => new MockActivityEnvironment().run(attempt);
  const context = {
    lineage,
    bundledTasks: '',
    registeredAttributes: () => Promise.resolve([]),
    defaultModel: 'scripted',
    ...askedServer(world.client),
    workflowFact: () => Promise.resolve('missing' as const),
    prices: await pricesFrom({}),
    clock: systemClock,
  };
  const input = { task: 'tiny', specialists: ['solo'], rule: 'greedy', ...more };
  const request = { input, name, namespace: world.namespace, firstExecutionRunId: `run-${name}` };
  const { owner } = await as(() => campaignActivities(context).freeze(request));
  await lineage.campaigns.setState(owner, 'running', null);
  await as(() => submitActivities({ lineage }).submitStart({ owner }));
  return owner;
}
