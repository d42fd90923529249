import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { campaignsModel } from '../../src/analysis/read-models/campaigns.js';
import { eventsBetween } from '../../src/analysis/read-models/events.js';
import { findTrial } from '../../src/analysis/read-models/find-trial.js';
import { logModel } from '../../src/analysis/read-models/logs.js';
import { resultsTable } from '../../src/analysis/read-models/results-table.js';
import { Observer, type Snapshot } from '../../src/analysis/read-models/snapshot.js';
import { statusModel } from '../../src/analysis/read-models/status.js';
import { trialRecord } from '../../src/analysis/read-models/trial-record.js';
import { trialsModel } from '../../src/analysis/read-models/trials.js';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let seeded: Seeded;
beforeAll(async () => {
  seeded = await seedCampaign();
  const { submit, measure, fail, begin } = seeded;
  await measure(await submit('better'), 1.5);
  await measure(await submit('worse', 'arch'), 1.75);
  const failure = {
    status: 'crash',
    phase: 'train',
    reason: 'exited with code 1',
    limit: null,
    tail: 'NameError: x',
  } as const;
  await fail(await submit('broken', 'arch'), { ...unmeasured('crash', 'train: NameError: x'), failure });
  await begin(await submit('at work'));
});
afterAll(() => seeded.lineage.close());

describe('the status of a campaign', () => {
  it('shows what runs, on which host, and which lane it belongs to', async () => {
    const status = await statusModel(seeded.lineage, seeded.name);
    expect(status.open).toMatchObject([
      { trial: 't00004', lane: 'opt-1', stage: 'training', host: 'host-b' },
    ]);
    expect(status.lanes).toEqual([
      { lane: 'opt-1', role: 'opt', trials: ['t00004'] },
      { lane: 'arch-1', role: 'arch', trials: [] },
    ]);
  });

  it('counts statuses of proposals only, and the gain of the frontier against the start', async () => {
    const status = await statusModel(seeded.lineage, seeded.name);
    expect(status.counts).toMatchObject({ keep: 1, discard: 1, crash: 1, cancelled: 0 });
    expect(status).toMatchObject({
      start: { label: 't00000', score: 2 },
      frontier: { label: 't00001', score: 1.5, version: 2 },
      best: { label: 't00001' },
      gain: -0.5,
    });
  });

  it('keeps open reservations apart from what is settled, and says what is unknown', async () => {
    const { lineage, owner, name } = seeded;
    const lost = { microUsd: 250, acceleratorMs: 0, tokens: 40 };
    await lineage.budgets.reserve({
      owner,
      key: `${owner}/lost`,
      amounts: lost,
      what: 'model',
      role: 'arch',
      trial: null,
    });
    await lineage.budgets.settle(owner, `${owner}/lost`, 'upper-bound', 'unknown');
    const { spending, limits } = await statusModel(lineage, name);
    expect(spending).toMatchObject({
      settled: lost,
      open: { microUsd: 1000, acceleratorMs: 7000, tokens: 0 },
      openReservations: 1,
      unknown: { rows: 1, spent: lost },
      byRole: { arch: lost },
      savedMs: 0,
    });
    expect(limits.find(({ limit }) => limit === 'dollars')).toMatchObject({
      used: 0.00125,
      allowed: 5,
      then: 'pauses',
    });
  });

  it('counts a lost worker as a fault of the infrastructure, not as a status of the trial', async () => {
    const { infrastructure } = await statusModel(seeded.lineage, seeded.name);
    expect(infrastructure).toMatchObject({ faults: 1, interrupted: 0, last: { host: 'host-a' } });
  });

  it('tells an unknown campaign with the command that lists them', async () => {
    await expect(statusModel(seeded.lineage, 'nope')).rejects.toMatchObject({
      code: 'CAMPAIGN_UNKNOWN',
      exit: 2,
    });
  });

  it('lists campaigns newest first', async () => {
    const later = await seedCampaign();
    const { campaigns } = await campaignsModel(later.lineage, 2);
    await later.lineage.close();
    expect(campaigns.map(({ campaign }) => campaign)).toEqual([later.name, seeded.name]);
    expect(campaigns[1]).toMatchObject({ state: 'running', counted: 4, frontier: { score: 1.5 } });
  });
});

describe('the list of trials', () => {
  const all = { limit: 50, best: false };
  const labels = async (filter: Parameters<typeof trialsModel>[2]): Promise<string[]> =>
    (await trialsModel(seeded.lineage, seeded.name, filter)).trials.map(({ trial }) => trial);

  it('is newest first and ends at its limit', async () => {
    expect(await labels(all)).toEqual(['t00004', 't00003', 't00002', 't00001', 't00000']);
    const cut = await trialsModel(seeded.lineage, seeded.name, { limit: 2, best: false });
    expect(cut.trials).toHaveLength(2);
    expect(cut.searchedDownTo).toBe(3);
  });

  it('is filtered by status and role', async () => {
    expect(await labels({ ...all, status: 'crash' })).toEqual(['t00003']);
    expect(await labels({ ...all, status: 'running' })).toEqual(['t00004']);
    expect(await labels({ ...all, role: 'arch' })).toEqual(['t00003', 't00002']);
  });

  it('is filtered by parent, score and words, all of which have to hold', async () => {
    const { trials } = await trialsModel(seeded.lineage, seeded.name, all);
    for (const { parent } of trials)
      if (parent !== null)
        expect(await labels({ ...all, parent: Number(parent.slice(1)) })).toEqual(
          trials.filter((trial) => trial.parent === parent).map(({ trial }) => trial),
        );
    expect(await labels({ ...all, scoreTo: 1.75 })).toEqual(['t00002', 't00001']);
    expect(await labels({ ...all, scoreFrom: 1.75, scoreTo: 1.75 })).toEqual(['t00002']);
    const words = trials.find(({ trial }) => trial === 't00003')?.hypothesis.toUpperCase() ?? '';
    expect(await labels({ ...all, text: words })).toContain('t00003');
    expect(await labels({ ...all, text: words, scoreFrom: 0 })).not.toContain('t00003');
    expect(await labels({ ...all, text: 'words that none has' })).toEqual([]);
  });

  it('is in the order of the scores when the best are asked for, without the unmeasured', async () => {
    expect(await labels({ ...all, best: true })).toEqual(['t00001', 't00002', 't00000']);
  });

  it('gives a crash no score, and a score its difference to the parent', async () => {
    const { trials } = await trialsModel(seeded.lineage, seeded.name, all);
    expect(trials.find(({ trial }) => trial === 't00003')).toMatchObject({ score: null, delta: null });
    expect(trials.find(({ trial }) => trial === 't00002')).toMatchObject({ score: 1.75, delta: -0.25 });
  });
});

describe('the record of a trial', () => {
  it('hides seeds while the campaign can still use them', async () => {
    const hidden = await seedCampaign();
    const trial = await hidden.submit('seeded');
    await hidden.begin(trial);
    const during = await trialRecord(hidden.lineage, hidden.name, trial.number);
    await hidden.lineage.campaigns.setState(hidden.owner, 'finished', { kind: 'done' });
    const after = await trialRecord(hidden.lineage, hidden.name, trial.number);
    await hidden.lineage.close();
    expect(during.replicates[0]?.seed).toBeNull();
    expect(after.replicates[0]?.seed).toEqual(expect.any(Number));
  });

  it('never carries the secrets that seeds and held-out data come from', async () => {
    const { lineage, owner, name } = seeded;
    const { secret, frozen } = await lineage.campaigns.byOwner(owner);
    const { dataSecret } = await lineage.tasks.get(frozen.task.digest);
    const text = JSON.stringify([
      await statusModel(lineage, name),
      await trialRecord(lineage, name, 4),
      await trialsModel(lineage, name, { limit: 50, best: false }),
    ]);
    expect(text).not.toContain(secret);
    expect(text).not.toContain(dataSecret);
  });

  it('carries diff, decision with its inputs, and attempts that the infrastructure lost', async () => {
    const { lineage, name } = seeded;
    const worse = await trialRecord(lineage, name, 2);
    expect(worse.diff).toContain('+# worse');
    expect(worse.decision).toMatchObject({
      adopt: false,
      against: 't00001',
      frontierScore: 1.5,
      score: 1.75,
      delta: 0.25,
    });
    expect(worse.session).toMatchObject({ index: 0, turn: 3 });
    const running = await trialRecord(lineage, name, 4);
    expect(running.replicates[0]).toMatchObject({
      attempts: 2,
      worksNow: { host: 'host-b' },
      infra: [{ host: 'host-a', interrupted: false }],
    });
  });

  it('names the weakest isolation of what the recipe ran, the evaluator left out', async () => {
    const { lineage, name, submit, begin } = await seedCampaign();
    const key = await begin(await submit('isolated'));
    const runs = [
      await phaseRun(lineage, 'train', 'step 1\n', 'C'),
      await phaseRun(lineage, 'pack', '', 'D'),
    ];
    const at = new Date();
    await lineage.replicates.publishTrained(key, {
      fence: 2,
      failure: null,
      runs,
      sharesTraining: null,
      saved: [],
      progress: [],
      artifact: null,
      metrics: {},
      margins: [],
      at,
    });
    const evaluation = [await phaseRun(lineage, 'evaluate', '', 'E')];
    await lineage.replicates.publishEvaluated(key, {
      fence: 2,
      failure: null,
      runs: evaluation,
      metrics: {},
      margins: [],
      feedback: '',
      at,
    });
    const record = await trialRecord(lineage, name, 1);
    const { logs } = await logModel(lineage, name, 1, 'train');
    await lineage.close();
    expect(record.isolation).toMatchObject({ tier: 'D' });
    expect(record.replicates[0]?.phases.map(({ phase }) => phase)).toEqual(['train', 'pack', 'evaluate']);
    expect(logs).toMatchObject([{ phase: 'train', text: 'step 1\n' }]);
  });

  it('has no log before a phase has ended, and says so', async () => {
    const reading = logModel(seeded.lineage, seeded.name, 4, 'train');
    await expect(reading).rejects.toThrow(/no stored log of train \(it is training\)/);
  });

  it('is found by label, by number, and in the latest campaign when none is named', async () => {
    const { lineage, name } = seeded;
    expect(await findTrial(lineage, `${name}/t00002`, undefined)).toEqual({
      campaign: name,
      number: 2,
      assumed: false,
    });
    expect(await findTrial(lineage, '2', name)).toMatchObject({ campaign: name, number: 2 });
    expect(await findTrial(lineage, 't00000', undefined)).toMatchObject({ number: 0, assumed: true });
    await expect(findTrial(lineage, `${name}/t00099`, undefined)).rejects.toMatchObject({
      code: 'TRIAL_UNKNOWN',
    });
    await expect(findTrial(lineage, 'best', undefined)).rejects.toMatchObject({ code: 'USAGE' });
  });
});

describe('the end table', () => {
  it('ends with what the frontier changed against the start', async () => {
    const { rows, start, frontier } = await resultsTable(seeded.lineage, seeded.name);
    expect(rows.map(({ number }) => number)).toEqual([0, 1, 2, 3, 4]);
    expect(start.score).toBe(2);
    expect(frontier).toMatchObject({ label: 't00001', score: 1.5 });
    expect(frontier.diffToStart).toContain('-# the start recipe');
    expect(frontier.diffToStart).toContain('+# better');
  });
});

describe('following a campaign', () => {
  it('tells every step of a trial once, and the end last', async () => {
    const { lineage, name, owner, submit, measure } = await seedCampaign();
    await measure(await submit('before anyone watched'), 1.9);
    const observer = new Observer(lineage, name);
    let snapshot: Snapshot | null = null;
    const next = async (): Promise<string[]> => {
      const before: Snapshot | null = snapshot;
      snapshot = await observer.look();
      return eventsBetween(before, snapshot).map((event) =>
        'trial' in event ? `${event.trial} ${event.event}` : event.event,
      );
    };
    expect(await next()).toEqual(['state']);
    const trial = await submit('watched');
    expect(await next()).toEqual(['t00002 submitted']);
    await lineage.trials.setStage(owner, trial.number, 'training');
    expect(await next()).toEqual(['t00002 stage']);
    expect(await next()).toEqual([]);
    await measure(trial, 1.2);
    await submit('another');
    expect(await next()).toEqual(['t00002 ended', 't00003 submitted', 't00002 adopted']);
    expect(await next()).toEqual([]);
    await lineage.campaigns.setState(owner, 'stopped', { kind: 'stopped', mode: 'drain' });
    expect(await next()).toEqual(['done']);
    await lineage.close();
  });
});
