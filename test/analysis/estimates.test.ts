import { afterAll, beforeAll, expect, it } from 'vitest';
import { trialEstimate } from '../../src/analysis/statistics/trial-estimate.js';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { intervalOf } from '../../src/domain/decision/claim/claim.js';
import { candidate } from '../builders/candidate.js';
import { seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
});
afterAll(() => seeded.lineage.close());

/** One run of a claim on a trial, with its score. */
async function freshRun(trial: number, index: number, loss: number): Promise<void> {
  const { lineage, owner } = seeded;
  const { snapshot } = await lineage.trials.require(owner, trial);
  const identity = { owner, snapshot, purpose: 'claim', index, hostClass: 'small' } as const;
  const { _id: key } = await lineage.replicates.open(identity, trial, 'secret');
  await lineage.claims.addReplicate(owner, 0, key);
  const ended = { fence: 0, failure: null, runs: [], margins: [], at: new Date() };
  const trained = { artifact: null, metrics: {}, sharesTraining: null, saved: [], progress: [] };
  await lineage.replicates.publishTrained(key, { ...ended, ...trained });
  await lineage.replicates.publishEvaluated(key, { ...ended, metrics: { loss }, feedback: '' });
}

it('is the trial’s own run, then what its claim’s fresh runs say, once all of them are there', async () => {
  const { lineage, owner, name, submit, measure } = seeded;
  const trial = await submit('better');
  expect(await trialEstimate(lineage, null)).toBeNull();
  await measure(trial, 1.5);
  const own = { mean: 1.5, error: null, from: 'runs', runs: 1 };
  expect((await trialRecord(lineage, name, 1)).estimate).toEqual(own);
  const plan = {
    start: 0,
    frontier: 1,
    version: 2,
    metric: 'loss',
    direction: 'minimize',
    decided: 1,
  } as const;
  await lineage.claims.open(owner, 0, { ...plan, runs: 2, confidence: 0.99 });
  await freshRun(1, 0, 1.6);
  await freshRun(1, 1, 1.62);
  await freshRun(0, 0, 2.1);
  expect((await trialRecord(lineage, name, 1)).estimate).toEqual(own);
  await freshRun(0, 1, 2.1);
  const arms = { start: [2.1, 2.1], frontier: [1.6, 1.62] };
  await lineage.claims.close(owner, 0, {
    result: intervalOf({ direction: 'minimize', ...arms, confidence: 0.99 }),
  });
  const { estimate } = await trialRecord(lineage, name, 1);
  expect(estimate).toMatchObject({ from: 'fresh', runs: 2 });
  expect(estimate?.mean).toBeCloseTo(1.61, 12);
  expect(estimate?.error).toBeCloseTo(0.01, 12);
  const { start, frontier, best } = await statusModel(lineage, name);
  expect(frontier).toMatchObject({ score: 1.5, estimate });
  expect(best).toMatchObject({ score: 1.5, estimate });
  expect(start?.estimate).toMatchObject({ mean: 2.1, error: null, from: 'fresh' });
});

it('is a belief where the rule has one and its noise is known, and none where it is not', async () => {
  const { lineage, owner } = await seedCampaign();
  const other = `${owner}/believing`;
  const posterior = { rule: 'posterior', calibration: 4 } as const;
  await lineage.decisions.decide(
    candidate(other, 0, 2, { ...posterior, scores: [1.9, 2.1, 2.05, 1.95], mayRepeat: false }),
  );
  const decision = await lineage.decisions.decide(candidate(other, 1, 1.5, posterior));
  if (decision === 'again') throw new Error('one run is enough here');
  expect(await trialEstimate(lineage, decision)).toMatchObject({ from: 'belief', runs: null });
  const blind = `${owner}/blind`;
  await lineage.decisions.decide(candidate(blind, 0, 2, posterior));
  const single = await lineage.decisions.decide(candidate(blind, 1, 1.5, posterior));
  if (single === 'again') throw new Error('one run is enough here');
  expect(await trialEstimate(lineage, single)).toEqual({ mean: 1.5, error: null, from: 'runs', runs: 1 });
  await lineage.close();
});
