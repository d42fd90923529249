import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainActivities } from '../../activities/train.js';
import { decideTrial } from '../../src/measure/decision/decide-trial.js';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { submitTrial } from '../../src/session/submit-trial.js';
import { conversing, type Called } from '../builders/conversing.js';
import { RealHosts } from '../builders/real-host.js';
import { runningCampaign } from '../builders/running-campaign.js';
import { openWorld, type World } from '../workflows/world.js';

let world: World;
let hosts: RealHosts;
beforeAll(async () => {
  world = await openWorld();
  hosts = new RealHosts(world.lineage);
});
afterAll(async () => {
  // no workflow runs here, and no reply was paid for
  await world.stop([/it has no status, its workflow is missing/, /its reply is stored, and neither/]);
  await hosts.remove();
});

const submit: Called = ['submit_trial', { hypothesis: 'it takes its time', expected_delta: -1 }];
const slower: Called = [
  EDIT_TOOL,
  { command: 'str_replace', path: 'train.py', old_str: 'SLEEP = 0.0', new_str: 'SLEEP = 0.01' },
];

/** Ends a trial as late on a host that was slower than usual both times. */
async function endByHost(owner: string, number: number): Promise<void> {
  const { lineage } = world;
  const { snapshot } = await lineage.trials.require(owner, number);
  const identity = { owner, snapshot, purpose: 'search', index: 0, hostClass: 'k' } as const;
  const { _id: key } = await lineage.replicates.open(identity, number, 'secret');
  await lineage.trials.addReplicate(owner, number, key);
  const holder = { host: 'busy', worker: 'w', what: 'train', run: 'p', since: new Date() };
  const { fence } = await lineage.replicates.beginAttempt(key, holder);
  const failure = { status: 'train_budget_overrun', phase: 'train', reason: 'late', limit: null } as const;
  await lineage.replicates.publishTrained(key, {
    ...{ fence, failure: { ...failure, tail: '', busyHost: true }, artifact: null },
    ...{ runs: [], metrics: {}, margins: [], saved: [], progress: [], sharesTraining: null, at: new Date() },
  });
  await decideTrial(lineage, { owner, number }, { interruption: null, mayRepeat: true });
}

it('what a slow host ended costs no trial, and the same files are measured again when they are submitted again', async () => {
  const { lineage } = world;
  const owner = await runningCampaign(world, 'again');
  const first = await conversing({ lineage, owner });
  await first.reply(slower, submit);
  expect(await submitTrial(lineage, first.at(1))).toEqual({ kind: 'accepted', number: 1 });
  await endByHost(owner, 1);
  expect(await lineage.trials.totals(owner)).toEqual({ submitted: 1, counted: 0 });

  // after its answer the workspace stands on the trial
  const again = await conversing({ lineage, owner }, { base: 1 });
  await again.reply(submit);
  expect(await submitTrial(lineage, again.at(0))).toEqual({ kind: 'accepted', number: 2 });
  expect(await lineage.trials.require(owner, 2)).toMatchObject({ parent: 0, twin: null });
  const home = await hosts.open('home');
  const trained = await new MockActivityEnvironment().run(() =>
    trainActivities(home).train({ owner, number: 2, index: 0, purpose: 'search' }),
  );
  expect(trained).toMatchObject({
    next: 'evaluate',
    replicate: expect.stringContaining('/search-1/') as string,
  });
  expect(await lineage.trials.totals(owner)).toEqual({ submitted: 2, counted: 1 });
});
