import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { estimateModel } from '../../src/analysis/read-models/estimate.js';
import { estimateOf, type MeasuredRuns, type Plan } from '../../src/analysis/statistics/estimate.js';
import { taskSchema } from '../../src/domain/task/task.js';
import { renderEstimate } from '../../src/cli/render/campaign-estimate.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';

const TASK = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'tiny',
  title: 'tiny',
  metric: { name: 'loss', unit: '', direction: 'minimize' },
  recipe: { editable: ['train.py'] },
  resources: { pool: 'gpu', gpus: 2 },
  phases: { train: { run: 'true', timeout_s: 100, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'true', timeout_s: 50 },
  specialists: ['solo'],
});
const NOTHING: MeasuredRuns = {
  ...{ runs: [], searchRuns: 0, trials: 0, begun: 0, acceleratorMs: 0, microUsd: 0 },
};
const PLAN: Plan = { trials: 10, calibration: 5, claimRuns: 8, leases: 1, hourMicroUsd: null };

describe('a campaign is estimated', () => {
  it('by the limits of its task, as the most that it takes, where nothing was measured', () => {
    const { by, run, runs, acceleratorS, acceleratorMicroUsd, modelMicroUsd } = estimateOf(
      TASK,
      NOTHING,
      PLAN,
    );
    // what is late on a slow host is run once more
    expect({ by, run, runs }).toEqual({
      by: 'limits',
      run: { usual: 300, least: 0, most: 300 },
      runs: { calibration: 5, search: 10, claim: 16 },
    });
    expect(acceleratorS.most).toBe(300 * 31 * 2);
    expect([acceleratorMicroUsd, modelMicroUsd]).toEqual([null, null]);
  });

  it('by the middle of whole runs, with runs a trial and money as they were', () => {
    const runs = [10, 20, 60].map((train) => ({ train, evaluate: 5 }));
    const measured = { ...NOTHING, runs, searchRuns: 15, trials: 10, begun: 20, microUsd: 5e6 };
    const found = estimateOf(TASK, measured, { ...PLAN, leases: 4, hourMicroUsd: 36e6 });
    expect(found).toMatchObject({
      by: 'measured',
      phases: [
        { phase: 'train', seconds: { usual: 20, least: 10, most: 60 } },
        { phase: 'evaluate', seconds: { usual: 5, least: 5, most: 5 } },
      ],
      run: { usual: 25, least: 15, most: 65 },
      runsPerTrial: 1.5,
      runs: { calibration: 5, search: 15, claim: 16 },
      wallS: { usual: (36 * 25) / 4 },
      acceleratorS: { usual: 36 * 25 * 2 },
      acceleratorMicroUsd: { usual: 36 * 25 * 2 * 1e4 },
      modelMicroUsd: 5e6,
    });
  });

  it('with what leases took beside whole runs: lost and failed ones', () => {
    const measured = { ...NOTHING, runs: [{ train: 10 }], searchRuns: 1, trials: 1, begun: 2 };
    // 60 s of one slot for two runs on two: 15 s each where a whole one takes 10
    const { acceleratorS } = estimateOf(TASK, { ...measured, acceleratorMs: 60_000 }, PLAN);
    expect(acceleratorS.usual).toBe(31 * 15 * 2);
  });

  it('never outside of what was measured, and never with less for more trials', () => {
    const runs = fc.array(fc.record({ train: fc.double({ min: 0, max: 1e6, noNaN: true }) }), {
      minLength: 1,
    });
    fc.assert(
      fc.property(runs, fc.nat(1000), fc.nat(1000), (some, one, more) => {
        const measured = { ...NOTHING, runs: some, searchRuns: some.length, trials: some.length };
        const [few, many] = [one, one + more].map((trials) =>
          estimateOf(TASK, measured, { ...PLAN, trials }),
        );
        if (few === undefined || many === undefined) return;
        expect(few.run.least).toBeLessThanOrEqual(few.run.usual);
        expect(few.run.usual).toBeLessThanOrEqual(few.run.most);
        expect(few.acceleratorS.most).toBeLessThanOrEqual(many.acceleratorS.most);
      }),
    );
  });
});

describe('runs in the store', () => {
  let seeded: Seeded;
  beforeAll(async () => {
    // campaigns of other tests are on the same task
    seeded = await seedCampaign('alone', `estimate_${process.pid}`);
    await seeded.measure(await seeded.submit('better'), 1.5);
  });
  afterAll(() => seeded.lineage.close());

  const model = async (settings: object = {}) => {
    const { lineage, name } = seeded;
    const { frozen } = await lineage.campaigns.byName(name);
    const { spec, _id: digest } = await lineage.tasks.get(frozen.task.digest);
    return estimateModel(lineage, { spec, digest }, { leases: 1, hourMicroUsd: null, ...settings }, frozen);
  };

  it('say nothing while none was whole, and then are what an estimate rests on', async () => {
    const { lineage, owner } = seeded;
    const before = await model();
    expect(before).toMatchObject({ by: 'limits', measuredRuns: 0 });
    expect(renderEstimate(before)).toContain('at most');
    const trial = await seeded.submit('measured');
    const key = await seeded.begin(trial);
    const { fence } = await lineage.replicates.get(key);
    const run = { ...(await phaseRun(lineage, 'train', '')), wallMs: 7200 };
    const measured = { fence, failure: null, metrics: {}, margins: [], at: new Date() };
    const unshared = { sharesTraining: null, saved: [], progress: [] };
    await lineage.replicates.publishTrained(key, { ...measured, ...unshared, runs: [run], artifact: null });
    const evaluation = { ...run, phase: 'evaluate', wallMs: 800 };
    await lineage.replicates.publishEvaluated(key, { ...measured, runs: [evaluation], feedback: '' });
    await seeded.measure(trial, 1.2);
    const found = await model({ trials: 100, hourMicroUsd: 2e6 });
    expect(found).toMatchObject({ by: 'measured', measuredRuns: 1, from: [seeded.name], run: { usual: 8 } });
    expect((await lineage.trials.totals(owner)).counted).toBe(2);
    // one of two trials that count was run
    expect(found.runs.search).toBe(50);
    expect(renderEstimate(found)).toContain('1 whole run of 1 campaign');
    expect(renderEstimate(found)).toContain('50 for 100 trials (0.5 each)');
  });
});
