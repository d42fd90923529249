import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { evaluateActivities } from '../../activities/evaluate.js';
import { trainActivities } from '../../activities/train.js';
import { treeDigest } from '../../src/domain/digest.js';
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
  // no workflow runs here
  await world.stop([/it has no status, its workflow is missing/]);
  await hosts.remove();
});

const as = <R>(attempt: () => Promise<R>): Promise<R> => new MockActivityEnvironment().run(attempt);

/** The start of a campaign, as if another host, which has left, had trained it. */
async function leftStart(owner: string) {
  const { lineage } = world;
  const { snapshot } = await lineage.trials.require(owner, 0);
  const identity = { owner, snapshot, purpose: 'search', index: 0, hostClass: 'k' } as const;
  const { _id: key } = await lineage.replicates.open(identity, 0, 'secret');
  await lineage.trials.addReplicate(owner, 0, key);
  const holder = { host: 'left', worker: 'w', what: 'train', run: 'p', since: new Date() };
  const { fence } = await lineage.replicates.beginAttempt(key, holder);
  const onHost = { host: 'left', folder: '00000000', gone: null };
  const files = [{ path: 'model', sha256: 'c'.repeat(64), bytes: 1 }];
  const artifact = { digest: treeDigest(files), bytes: 1, files, onHost };
  const nothing = { runs: [], metrics: {}, margins: [], saved: [], progress: [], sharesTraining: null };
  await lineage.replicates.publishTrained(key, {
    ...nothing,
    ...{ fence, failure: null, artifact, at: new Date() },
  });
  return lineage.trials.require(owner, 0);
}

it('a recipe that breaks the evaluator ends as a crash also where the start is out of reach', async () => {
  const { lineage } = world;
  const owner = await runningCampaign(world, 'left');
  const start = await leftStart(owner);
  const { campaign, role, lane, session, turn, expectedDelta, domain, diff } = start;
  const submitted = await lineage.trials.submit(
    {
      ...{ owner, campaign, role, lane, session, turn, expectedDelta, domain, diff },
      ...{ edit: null, similar: null, twinScope: null },
      ...{
        parent: 0,
        parentSnapshot: start.snapshot,
        changes: 'x',
        hypothesis: 'h',
        submitKey: `${owner}/1`,
      },
      snapshot: await lineage.blobs.putTree([
        ...(await lineage.blobs.readFiles(await lineage.blobs.tree(start.snapshot))),
        { path: 'more.txt', bytes: Buffer.from('more') },
      ]),
    },
    { trials: 9, submissions: 9 },
  );
  if (submitted.kind !== 'accepted') throw new Error(submitted.kind);
  const { number } = submitted.trial;
  const home = await hosts.open('home');
  const trained = await as(() => trainActivities(home).train({ owner, number, index: 0, purpose: 'search' }));
  if (trained.next !== 'evaluate') throw new Error(trained.next);
  const { replicate } = trained;
  const host = home.tasks.host.bind(home.tasks);
  home.tasks.host = async (...asked) => {
    const { spec, ...hosted } = await host(...asked);
    return { ...hosted, spec: { ...spec, evaluate: { ...spec.evaluate, run: 'exit 1' } } };
  };
  const evaluate = () => as(() => evaluateActivities(home).evaluate({ owner, number, replicate }));
  for (let times = 1; times < 3; times += 1)
    await expect(evaluate()).rejects.toMatchObject({ code: 'EVALUATOR_FAULT' });
  expect(await evaluate()).toEqual({ next: 'decide' });
  const { evaluated } = await lineage.replicates.get(replicate);
  expect(evaluated?.failure).toMatchObject({ status: 'crash', phase: 'evaluate' });
  expect(evaluated?.failure?.reason).toMatch(
    /^the evaluator failed 3 times on this artifact, and the start, whose artifact left keeps .* could not be tried/,
  );
});
