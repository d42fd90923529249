import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { definedFields } from '../../src/domain/defined-fields.js';
import { sha256 } from '../../src/domain/digest.js';
import { phaseRun } from '../../src/lineage/documents/phase-run.js';
import type { ReplicateDocument, Trained } from '../../src/lineage/documents/replicate.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { evaluatesThere, resultThere } from '../../src/measure/elsewhere-kept.js';
import type { HostStore } from '../../src/measure/host-store/host-store.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { hostStore } from '../builders/host-context.js';
import { freshFolder } from '../sandbox/programs.js';

const REPORTED = { healthy: true, why: null, devices: [], machine: null };

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `elsewhere_${process.pid}` });
});
afterAll(() => lineage.close());

/** A replicate whose artifact a host of its own keeps. */
async function kept(purpose: 'search' | 'claim' = 'search') {
  const there = await hostStore(freshFolder(), { host: 'there' });
  const content = randomUUID();
  const file = { path: join(freshFolder(), 'model'), sha256: sha256(content), bytes: content.length };
  writeFileSync(file.path, content);
  await there.putFile(file);
  const owner = `test/${randomUUID()}`;
  const identity = { owner, snapshot: 'a'.repeat(64), purpose, index: 0, hostClass: 'k' };
  const { _id: key } = await lineage.replicates.open(identity, 1, 'secret');
  const holder = { host: 'there', worker: 'w', what: 'train', run: 'p', since: new Date() };
  const { fence } = await lineage.replicates.beginAttempt(key, holder);
  const files = [{ ...file, path: 'model' }];
  const onHost = { ...there.place, gone: null };
  const artifact = { digest: 'b'.repeat(64), bytes: content.length, files, onHost };
  const trained: Trained = {
    ...{ fence, failure: null, runs: [], artifact, metrics: {}, margins: [] },
    ...{ sharesTraining: null, saved: [], progress: [], at: new Date() },
  };
  await lineage.replicates.publishTrained(key, trained);
  return { there, key, artifact };
}

const ask = async (on: HostStore, of: Awaited<ReturnType<typeof kept>>, tried?: string, refused?: true) => {
  const replicate: ReplicateDocument = await lineage.replicates.get(of.key);
  const { signal } = new AbortController();
  const asking = { signal, ...definedFields({ tried, refused }) };
  return evaluatesThere({ lineage, kept: on }, replicate, of.artifact, asking);
};

it('an artifact is evaluated where it is: here, or on the host that keeps it', async () => {
  const of = await kept();
  expect(await ask(of.there, of)).toBeNull();
  const other = await hostStore(freshFolder(), { host: 'other' });
  expect(await ask(other, of)).toEqual({ next: 'there', place: of.there.place });
});

it('one is evaluated on its host by the name that this has now', async () => {
  const of = await kept();
  const { folder } = of.there.place;
  const other = await hostStore(freshFolder(), { host: 'other' });
  const { hosts } = lineage;
  const report = { pool: 'cpu', roles: ['evaluator'], kept: folder, ...REPORTED, since: new Date(0) };
  await hosts.report({ ...report, _id: 'there/renamed', host: 'there', at: new Date(1000) });
  await hosts.report({ ...report, _id: 'renamed', host: 'renamed', at: new Date(2000) });
  expect(await ask(other, of)).toEqual({ next: 'there', place: { host: 'renamed', folder } });
  for (const id of ['there/renamed', 'renamed']) await hosts.leave(id);
});

it('one whose host was asked in vain is waited for while that host reports, and lost when it does not', async () => {
  const of = await kept();
  const other = await hostStore(freshFolder(), { host: 'other' });
  const { host, folder } = of.there.place;
  const report = { _id: `${host}/${folder}`, host, pool: 'cpu', roles: ['evaluator'], kept: folder };
  const { hosts } = lineage;
  let at = 0;
  const say = () => hosts.report({ ...report, ...REPORTED, at: new Date((at += 1000)), since: new Date(0) });
  await say();
  const reporting = setInterval(() => void say(), 500);
  expect(await ask(other, of, folder)).toEqual({ next: 'there', place: of.there.place });
  const refused = await kept();
  expect(await ask(other, { ...refused, artifact: of.artifact }, folder, true)).toEqual({ next: 'lost' });
  clearInterval(reporting);
  await hosts.leave(report._id);
  expect(await ask(other, of, folder)).toEqual({ next: 'lost' });
  expect(await lineage.replicates.get(of.key)).toMatchObject({
    trained: null,
    faults: [{ what: 'train', code: 'ARTIFACT_LOST' }],
  });
});

it('one that its own host has no more is lost, which a person has to see after three times', async () => {
  const of = await kept();
  const { artifact } = await kept();
  const gone = { ...of, artifact: { ...artifact, onHost: of.artifact.onHost } };
  expect(await ask(of.there, gone)).toEqual({ next: 'lost' });
  const fault = { fence: 1, what: 'train', reason: 'lost', code: 'ARTIFACT_LOST', host: 'there' };
  for (let times = 1; times < 3; times += 1) await lineage.replicates.fault(of.key, fault);
  // what training left costs no evaluation
  await lineage.replicates.fault(of.key, { ...fault, code: 'CHECKPOINT_LOST' });
  await expect(ask(of.there, gone)).rejects.toMatchObject({ code: 'FILES_LOST', retryable: false });
  // resumed
  expect(await ask(of.there, gone)).toEqual({ next: 'lost' });
});

it('of a claim nothing is trained again: its artifact is marked as gone', async () => {
  const of = await kept('claim');
  const other = await hostStore(freshFolder(), { host: 'other' });
  expect(await ask(other, of, of.there.place.folder)).toEqual({ next: 'lost' });
  const { trained, faults } = await lineage.replicates.get(of.key);
  expect(trained?.artifact?.onHost?.gone).toBeInstanceOf(Date);
  expect(faults).toEqual([]);
});

it('a result of an equal training on a host that has left is given up, and the next one takes its place', async () => {
  const { there, key, artifact } = await kept();
  const other = await hostStore(freshFolder(), { host: 'other' });
  const { owner } = await lineage.replicates.get(key);
  const by = { owner, phase: 'train', replicate: key, trial: 1 } as const;
  const { isolation } = await openSandbox({ tier: 'E' });
  const run = phaseRun.parse({
    ...{
      phase: 'train',
      startedAt: new Date(),
      wallMs: 1,
      peakRssBytes: 0,
      log: 'd'.repeat(64),
      logBytes: 0,
    },
    ...{ isolation, budgetS: null, hostSpeed: null, usualSpeed: null, repeated: false },
  });
  const output = { run, bytes: artifact.bytes, files: artifact.files, progress: [] };
  await lineage.phases.finish(by, 'equal', { ...output, onHost: artifact.onHost });
  const { signal } = new AbortController();
  const look = (tried?: string) =>
    resultThere({ lineage, kept: other }, { _id: key, owner }, 'equal', {
      signal,
      ...definedFields({ tried }),
    });
  expect(await look()).toEqual({ next: 'there', place: there.place });
  await lineage.phases.finish(by, 'equal', { ...output, onHost: null });
  expect((await lineage.phases.finished(owner, 'equal'))?.onHost?.host).toBe('there');
  expect(await look(there.place.folder)).toBeNull();
  await lineage.phases.finish(by, 'equal', { ...output, onHost: null });
  expect((await lineage.phases.finished(owner, 'equal'))?.onHost).toBeNull();
});

it('a host has an evaluator in an unhealthy moment, and none where the report is old', async () => {
  const { hosts } = lineage;
  const report = { _id: 'asked/evaluator', host: 'asked', pool: 'cpu', roles: ['evaluator'], kept: 'asked' };
  const said = { ...report, ...REPORTED, healthy: false, why: 'the disk is full', since: new Date(0) };
  await hosts.report({ ...said, at: new Date() });
  expect(await hosts.hasReported('asked', 'evaluator', 60_000)).toBe(true);
  expect(await hosts.hasReported('asked', 'trainer', 60_000)).toBe(false);
  await hosts.report({ ...said, at: new Date(0) });
  expect(await hosts.hasReported('asked', 'evaluator', 60_000)).toBe(false);
});
