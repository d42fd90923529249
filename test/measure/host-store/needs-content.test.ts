import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openLineage, type Lineage } from '../../../src/lineage/lineage.js';
import type { Evaluated, Trained } from '../../../src/lineage/documents/replicate.js';
import { unmeasured } from '../../../src/domain/trial/outcome.js';
import { needsContent } from '../../../src/measure/host-store/needs-content.js';
import { frozenOf } from '../../builders/frozen-campaign.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `needs_${process.pid}` });
});
afterAll(() => lineage.close());

const onHost = { host: 'gpu1', folder: 'f0', gone: null };
const nothing = { runs: [], metrics: {}, margins: [], at: new Date() };
const artifact = { digest: 'b'.repeat(64), bytes: 1, onHost };
const files = [{ path: 'model', sha256: 'c'.repeat(64), bytes: 1 }];
const trained = (fence: number): Trained => ({
  ...nothing,
  ...{ fence, failure: null, artifact: { ...artifact, files } },
  ...{ sharesTraining: null, saved: [], progress: [] },
});
const evaluated = (fence: number): Evaluated => ({ ...nothing, fence, failure: null, feedback: '' });

/** A replicate of a proposed trial, at work on its first attempt. */
async function replicateOf(index = 0) {
  const owner = `test/${randomUUID()}`;
  const { secret, frozen } = await lineage.campaigns.freeze(frozenOf(`c-${randomUUID()}`, owner));
  await lineage.budgets.create(owner, frozen.limits);
  await lineage.campaigns.setState(owner, 'running', null);
  const diff = await lineage.blobs.put('');
  const common = { owner, campaign: 'c', parentSnapshot: null, diff, changes: '', hypothesis: 'h' };
  const role = {
    role: 'solo',
    lane: 'solo-1',
    session: null,
    turn: null,
    expectedDelta: null,
    domain: null,
    edit: null,
    similar: null,
    twinScope: null,
  };
  const of = (snapshot: string) => ({
    ...common,
    ...role,
    snapshot,
    parent: null,
    submitKey: `${owner}/${snapshot}`,
  });
  const start = await lineage.trials.insertStart(of('a'.repeat(64)));
  const submitted = await lineage.trials.submit(of('d'.repeat(64)), { trials: 9, submissions: 9 });
  if (submitted.kind !== 'accepted') throw new Error('there was no room');
  const open = async (trial: { number: number; snapshot: string }) => {
    const identity = { owner, snapshot: trial.snapshot, purpose: 'search' as const, index };
    const { _id } = await lineage.replicates.open({ ...identity, hostClass: 'k' }, trial.number, secret);
    await lineage.trials.addReplicate(owner, trial.number, _id);
    const holder = { host: 'gpu1', worker: 'w', what: 'train', run: 'p', since: new Date() };
    const { fence } = await lineage.replicates.beginAttempt(_id, holder);
    return { key: _id, fence };
  };
  return { owner, start: await open(start), trial: await open(submitted.trial) };
}

it('a measurement needs its outputs until it is evaluated', async () => {
  const { start, trial } = await replicateOf();
  for (const { key, fence } of [start, trial]) {
    expect(await needsContent(lineage, key)).toBe(true);
    await lineage.replicates.publishTrained(key, trained(fence));
    expect(await needsContent(lineage, key)).toBe(true);
    await lineage.replicates.publishEvaluated(key, evaluated(fence));
  }
  expect([await needsContent(lineage, start.key), await needsContent(lineage, trial.key)]).toEqual([
    false,
    false,
  ]);
});

it('a measurement that another trial has taken over is needed, also when the trial that began it has ended', async () => {
  const { owner, trial } = await replicateOf();
  await lineage.trials.settle(owner, 1, unmeasured('cancelled', 'by a test'));
  expect(await needsContent(lineage, trial.key)).toBe(false);
  await lineage.trials.addReplicate(owner, 0, trial.key);
  expect(await needsContent(lineage, trial.key)).toBe(true);
  await lineage.campaigns.setState(owner, 'finished', null);
  expect(await needsContent(lineage, trial.key)).toBe(false);
});

it('a trial that has ended needs nothing, nor does a missed gate, a later run of the start, or an unknown one', async () => {
  const ended = await replicateOf(1);
  await lineage.trials.settle(ended.owner, 1, unmeasured('cancelled', 'by a test'));
  expect(await needsContent(lineage, ended.trial.key)).toBe(false);
  const { start, trial } = await replicateOf(1);
  const failure = {
    status: 'size_blocked',
    phase: 'pack',
    reason: 'too large',
    limit: null,
    tail: '',
  } as const;
  await lineage.replicates.publishTrained(trial.key, { ...trained(trial.fence), failure });
  expect(await needsContent(lineage, trial.key)).toBe(false);
  await lineage.replicates.publishTrained(start.key, trained(start.fence));
  await lineage.replicates.publishEvaluated(start.key, evaluated(start.fence));
  expect(await needsContent(lineage, start.key)).toBe(false);
  expect(await needsContent(lineage, 'nobody')).toBe(false);
});

it('an artifact that is lost before it was evaluated is to be trained again, and no attempt before that publishes', async () => {
  const { trial } = await replicateOf();
  await lineage.replicates.publishTrained(trial.key, trained(trial.fence));
  await lineage.replicates.loseArtifact(trial.key, { ...onHost, folder: 'another' });
  expect((await lineage.replicates.get(trial.key)).trained).not.toBeNull();
  await lineage.replicates.loseArtifact(trial.key, onHost);
  await lineage.replicates.loseArtifact(trial.key, onHost);
  const lost = await lineage.replicates.get(trial.key);
  expect(lost).toMatchObject({ trained: null, faults: [{ code: 'ARTIFACT_LOST', host: 'gpu1' }] });
  expect(lost.faults).toHaveLength(1);
  const late = lineage.replicates.publishEvaluated(trial.key, evaluated(trial.fence));
  await expect(late).rejects.toMatchObject({ code: 'OVERTAKEN' });
});

it('what has left a host is marked in all that names it, and its scores stay', async () => {
  const { trial } = await replicateOf();
  await lineage.replicates.publishTrained(trial.key, trained(trial.fence));
  await lineage.replicates.publishEvaluated(trial.key, { ...evaluated(trial.fence), metrics: { loss: 1 } });
  await lineage.replicates.markGone({ ...onHost, folder: 'another' }, ['c'.repeat(64)]);
  await lineage.replicates.markGone(onHost, ['e'.repeat(64)]);
  expect((await lineage.replicates.get(trial.key)).trained?.artifact?.onHost).toEqual(onHost);
  await lineage.replicates.markGone(onHost, ['c'.repeat(64), 'e'.repeat(64)]);
  const found = await lineage.replicates.get(trial.key);
  expect(found.trained?.artifact?.onHost?.gone).toBeInstanceOf(Date);
  await lineage.replicates.loseArtifact(trial.key, onHost);
  expect(found.evaluated?.metrics).toEqual({ loss: 1 });
  expect((await lineage.replicates.get(trial.key)).trained).not.toBeNull();
});
