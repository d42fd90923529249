import { afterAll, beforeAll, expect, it } from 'vitest';
import { unmeasured } from '../../src/domain/trial/outcome.js';
import { lineageView } from '../../src/session/lineage-view.js';
import { openSession } from '../../src/session/open-session.js';
import { trialAnswer } from '../../src/session/trial-answer.js';
import { decisionMeasure } from '../../src/domain/task/task.js';
import type { LineageView } from '../../src/domain/session/view.js';
import { phaseRun, seedCampaign, type Seeded } from '../builders/stored-campaign.js';

let campaign: Seeded;
beforeAll(async () => {
  campaign = await seedCampaign(undefined, `view_${process.pid}`);
});
afterAll(() => campaign.lineage.close());

async function viewFor(role: string, neighbours: readonly string[] | null): Promise<LineageView> {
  const { lineage, owner } = campaign;
  const found = await lineage.campaigns.byOwner(owner);
  const { spec: task } = await lineage.tasks.get(found.frozen.task.digest);
  const frontier = await lineage.decisions.frontier(owner);
  if (frontier === null) throw new Error('no frontier');
  return lineageView(lineage, { campaign: found, task, role, session: 'none', neighbours }, frontier);
}

const missed = (metric: string, value: number, limit: number) =>
  ({ gate: metric, metric, value, limit, side: 'max', over: value - limit }) as const;

it('shows the frontier in full, real near misses, failures by cause, notes, and what runs', async () => {
  const { lineage, owner, submit, measure, fail, begin } = campaign;
  const kept = await submit('wider', 'opt');
  await measure(kept, 1.5, { bytes: 22_348, code_bytes: 10_079 });
  const worse = await submit('narrower', 'opt');
  await measure(worse, 1.8);
  const near = await submit('slow but good', 'arch');
  await fail(near, {
    ...unmeasured('disqualified', 'speed: missed'),
    score: 1.2,
    margins: [missed('eval_s', 31, 25)],
  });
  await fail(await submit('slow and bad', 'arch'), {
    ...unmeasured('disqualified', 'speed: missed'),
    score: 1.9,
    margins: [missed('eval_s', 32, 25)],
  });
  const large = await submit('large', 'arch');
  await fail(large, {
    ...unmeasured('size_blocked', 'too large'),
    margins: [missed('bytes', 25_100, 24_000)],
  });
  const running = await submit('running', 'arch');
  await begin(running);
  const opened = await openSession(lineage, { owner, role: 'opt', lane: 'opt-1', index: 0 });
  if (opened.kind !== 'open') throw new Error(opened.kind);
  await lineage.sessions.addNote(opened.session, { call: 'a', text: 'LR above 1 diverges', at: new Date() });

  const view = await viewFor('opt', null);
  expect(view.frontier).toMatchObject({
    trial: kept.number,
    delta: -0.5,
    sizes: { total: 22_348, code: 10_079, artifact: 12_269, limit: null },
  });
  expect(view.frontier?.diff).toContain('+# wider');
  expect(view.chain.map(({ trial }) => trial)).toEqual([0]);
  expect(view.own.map(({ trial }) => trial)).toEqual([worse.number, kept.number]);
  expect(view.nearMisses.map(({ trial }) => trial)).toEqual([near.number]);
  expect(view.neighbours.map(({ trial }) => trial)).toContain(large.number);
  expect(view.running).toEqual([
    { trial: running.number, role: 'arch', stage: 'training', hypothesis: 'running' },
  ]);
  expect(view.failures.map(({ status, trials }) => ({ status, count: trials.length }))).toEqual([
    { status: 'disqualified', count: 2 },
    { status: 'size_blocked', count: 1 },
  ]);
  expect(view.expectations).toEqual({ trials: 2, share: 3.5, sameSign: 2 });
  expect(view.notes).toEqual([{ session: 'opt-1/0', text: 'LR above 1 diverges' }]);
  expect(view.left).toMatchObject({ trials: 994, hours: 2 });
  expect((await viewFor('arch', [])).neighbours).toEqual([]);
  expect((await viewFor('arch', ['opt'])).neighbours).toHaveLength(2);
  expect(view.metric).toEqual(
    decisionMeasure(
      (await lineage.tasks.get((await lineage.campaigns.byOwner(owner)).frozen.task.digest)).spec,
    ),
  );
});

it('answers with sizes, logs, the place of a crash, and what others did meanwhile', async () => {
  const { lineage, owner, submit, measure, fail } = campaign;
  const crashed = await submit('crashes', 'opt');
  const other = await submit('beside it', 'arch');
  await measure(other, 1.9);
  const identity = {
    owner,
    snapshot: crashed.snapshot,
    purpose: 'search',
    index: 0,
    hostClass: 'small',
  } as const;
  const { _id: key } = await lineage.replicates.open(identity, crashed.number, 'secret');
  await lineage.trials.addReplicate(owner, crashed.number, key);
  const holder = { host: 'a', worker: 'w', what: 'train', run: 'r', since: new Date() };
  const { fence } = await lineage.replicates.beginAttempt(key, holder);
  const log =
    'step 1\nstep 2\nTraceback (most recent call last):\n  File "/x/train.py", line 7, in step\nValueError: shapes\n';
  const failure = {
    status: 'crash',
    phase: 'train',
    reason: 'exited with code 1',
    limit: null,
    tail: log,
  } as const;
  await lineage.replicates.publishTrained(key, {
    ...{
      fence,
      failure,
      runs: [await phaseRun(lineage, 'train', log)],
      artifact: null,
      metrics: {},
      margins: [],
    },
    ...{ sharesTraining: null, saved: [], progress: [{ share: 0.42, value: 3.1 }], at: new Date() },
  });
  await fail(crashed, { ...unmeasured('crash', 'train: exited with code 1'), failure });
  const lines = (await trialAnswer(lineage, owner, crashed.number)).split('\n');
  for (const line of [
    'seconds: train 1.5 of 5',
    'failed in train: exited with code 1',
    '  at train.py:7 in step: ValueError: shapes',
    'last progress: 3.1 at 42 % of the training',
    'train log, last 5 lines:',
    '  step 2',
    `  arch trial ${other.number} ended as discard with 1.9: beside it`,
  ])
    expect(lines).toContain(line);
  expect(lines[0]).toMatch(/^trial \d+: crash\. The frontier is trial 1 \(1\.5/);
});
