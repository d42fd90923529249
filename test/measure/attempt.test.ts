import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { withAttempt } from '../../src/measure/attempt.js';
import { parkedActivities } from '../../activities/parked.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { LOST } from '../../src/domain/trial/lost-workers.js';
import type { ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import type { TrialDocument } from '../../src/lineage/documents/trial.js';
import type { Proposal } from '../../src/lineage/trials/trials.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { hostContext } from '../builders/host-context.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `claim_${process.pid}` });
});
afterAll(() => lineage.close());

type Insert = (proposal: Proposal) => Promise<TrialDocument>;
const start: Insert = (proposal) => lineage.trials.insertStart(proposal);
const proposed: Insert = async (proposal) => {
  const submitted = await lineage.trials.submit(proposal, { trials: 9, submissions: 9 });
  if (submitted.kind !== 'accepted') throw new Error('there was no room');
  return submitted.trial;
};

/**
 * A trial in a campaign of its own (its start, by default), with a replicate that no attempt has worked on.
 */
async function freshReplicate(insert: Insert = start) {
  const owner = `test/${randomUUID()}`;
  const { secret, frozen } = await lineage.campaigns.freeze({
    ...frozenOf(`c-${randomUUID()}`, owner),
    lanes: [{ role: 'solo', lane: 'solo-1' }],
  });
  await lineage.budgets.create(owner, frozen.limits);
  const snapshot = 'a'.repeat(64);
  const trial = await insert({
    owner,
    campaign: 'c',
    submitKey: `${owner}/start`,
    snapshot,
    parent: null,
    parentSnapshot: null,
    diff: await lineage.blobs.put(''),
    changes: '',
    hypothesis: 'start',
    expectedDelta: null,
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
    role: 'start',
    lane: 'start',
    session: null,
    turn: null,
  });
  const { _id: replicate } = await lineage.replicates.open(
    { owner, snapshot, purpose: 'search', index: 0, hostClass: 'class' },
    trial.number,
    secret,
  );
  await lineage.trials.addReplicate(owner, trial.number, replicate);
  return { owner, trial, replicate };
}

const TRAIN = { what: 'train', purpose: 'search', boundMs: 10, slots: 1 } as const;

/** Entry of an attempt that dies with its worker. */
const DIES = { host: 'host', worker: 'host:0', what: 'train', run: 'p', since: new Date() };

it('lets a trial take two workers with it, and blocks a campaign that has nothing else to do at the third', async () => {
  const { owner, trial, replicate } = await freshReplicate();
  const context = await hostContext(lineage, { pid: 'enforced' });
  const request = { ...TRAIN, trial, replicate, published: () => null };
  const attempt = () =>
    withAttempt(context, request, new AbortController().signal, () => Promise.resolve('trained'));

  for (let lost = 1; lost <= 2; lost += 1) await lineage.replicates.beginAttempt(replicate, DIES);
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });

  await lineage.replicates.beginAttempt(replicate, DIES);
  await expect(attempt()).rejects.toMatchObject({ code: 'WORKERS_LOST', retryable: false });
  expect((await lineage.replicates.get(replicate)).holder).toBeNull();
  // a person has resumed it: three more may be lost
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });
  for (let lost = 1; lost <= 2; lost += 1) await lineage.replicates.beginAttempt(replicate, DIES);
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('parks one of several trials at the third, whatever phase and host lost them, until a person has looked', async () => {
  const { owner, trial, replicate } = await freshReplicate(proposed);
  const { number } = trial;
  const context = await hostContext(lineage, { pid: 'enforced' });
  const request = { ...TRAIN, trial, replicate, published: () => null };
  const attempt = () =>
    withAttempt(context, request, new AbortController().signal, () => Promise.resolve('trained'));
  const prepares = { fence: 7, what: 'prepare', reason: 'lost', code: LOST, host: 'other' };
  for (let told = 1; told <= 2; told += 1) await lineage.trials.losePreparation(owner, number, prepares);
  const { secret } = await lineage.campaigns.byOwner(owner);
  const elsewhere = await lineage.replicates.open(
    { owner, snapshot: trial.snapshot, purpose: 'search', index: 0, hostClass: 'another class' },
    number,
    secret,
  );
  await lineage.trials.addReplicate(owner, number, elsewhere._id);
  await lineage.replicates.beginAttempt(elsewhere._id, { ...DIES, what: 'evaluate' });
  await lineage.replicates.beginAttempt(replicate, DIES);
  // a holder of a replicate counts as lost only once another attempt takes it
  await lineage.replicates.beginAttempt(elsewhere._id, DIES);
  await expect(attempt()).resolves.toEqual({ kind: 'parked' });
  const parked = await lineage.trials.require(owner, number);
  expect(parked).toMatchObject({
    stage: 'parked',
    status: null,
    parked: { reason: expect.any(String) as unknown },
  });
  expect(parked.parked?.reason).toMatch(
    /^3 workers were lost with it \(prepare on other, .*train on host.*\)$/,
  );
  expect(parked.faults).toHaveLength(1);
  expect((await lineage.campaigns.byOwner(owner)).control).toBe('running');

  await parkedActivities({ lineage }).resumeParked({ owner, number });
  await lineage.trials.unpark(owner, number);
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('tells the work of the end of its trial where a recipe may have killed its workers', async () => {
  const { trial, replicate } = await freshReplicate(proposed);
  const context = await hostContext(lineage);
  const request = { ...TRAIN, trial, replicate, published: () => null };
  const attempt = () =>
    withAttempt(context, request, new AbortController().signal, ({ crash }) => Promise.resolve(crash));
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: null });
  for (let lost = 1; lost <= 3; lost += 1) await lineage.replicates.beginAttempt(replicate, DIES);
  await expect(attempt()).resolves.toMatchObject({
    kind: 'done',
    result: { status: 'crash', phase: 'train', limit: { used: 3, allowed: 2 } },
  });
});

it('uses a result that was published while it waited for its turn, and runs and charges nothing', async () => {
  const { owner, trial, replicate } = await freshReplicate();
  const context = await hostContext(lineage);
  const published = ({ trained }: ReplicateDocument): number | null => trained?.fence ?? null;
  const request = { ...TRAIN, trial, replicate, published };
  const claim = (work: () => Promise<number>) =>
    withAttempt(context, request, new AbortController().signal, work);
  const train = async (): Promise<number> => {
    const { fence } = await lineage.replicates.get(replicate);
    const nothing = {
      ...{ failure: null, runs: [], artifact: null, metrics: {}, margins: [], at: new Date() },
      ...{ sharesTraining: null, saved: [], progress: [] },
    };
    return (await lineage.replicates.publishTrained(replicate, { fence, ...nothing })).fence;
  };

  await expect(claim(train)).resolves.toEqual({ kind: 'done', result: 1 });
  const again = (): Promise<number> => Promise.reject(new Error('it was run again'));
  await expect(claim(again)).resolves.toEqual({ kind: 'done', result: 1 });
  const rows = await lineage.budgets.rows(owner, 10);
  expect(rows.map(({ _id, certainty }) => [_id, certainty])).toEqual([[`${replicate}/1`, 'known']]);
  const { holder, faults } = await lineage.replicates.get(replicate);
  expect({ holder, faults }).toEqual({ holder: null, faults: [] });
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('charges the time of every slot that it holds, and never more than it has reserved', async () => {
  const { owner, trial, replicate } = await freshReplicate();
  const context = await hostContext(lineage);
  const work = { ...TRAIN, trial, replicate, published: () => null };
  const sleepMs = 120;
  const claim = (boundMs: number, slots: number) =>
    withAttempt(context, { ...work, boundMs, slots }, new AbortController().signal, () => sleep(sleepMs));
  await claim(1_000_000, 1);
  await claim(1_000_000, 50);
  await claim(100, 50);
  const spent = (await lineage.budgets.rows(owner, 10)).map((row) => row.spent.acceleratorMs);
  expect(spent[0]).toBeGreaterThanOrEqual(sleepMs - 1);
  expect(spent[1]).toBeGreaterThanOrEqual(50 * (sleepMs - 1));
  expect(spent[2]).toBe(100);
});
