import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { withClaim } from '../../activities/claim.js';
import type { HostContext } from '../../activities/context.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import type { ReplicateDocument } from '../../src/lineage/documents.js';
import { LeasePool } from '../../src/sandbox/lease.js';
import { HostTurn } from '../../src/sandbox/process/host-turn.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TaskHost } from '../../src/tasks/host.js';
import { frozenOf } from '../lineage/contract.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `claim_${process.pid}` });
});
afterAll(() => lineage.close());

async function hostContext(): Promise<HostContext> {
  const sandbox = await openSandbox({ tier: 'E' });
  return {
    lineage,
    host: { name: 'host', hostClass: 'class', worker: 'host:1', process: 'p', work: '/nowhere' },
    tasks: new TaskHost('/nowhere', '/nowhere', sandbox),
    sandbox,
    leases: new LeasePool('cpu', 1, '/nowhere'),
    turn: new HostTurn('/nowhere'),
  };
}

/** The start of a campaign of its own, with a replicate that nobody has worked on. */
async function freshReplicate() {
  const owner = `test/${randomUUID()}`;
  const { secret, frozen } = await lineage.campaigns.freeze(frozenOf(`c-${randomUUID()}`, owner));
  await lineage.budgets.create(owner, frozen.limits);
  const snapshot = 'a'.repeat(64);
  const trial = await lineage.trials.insertStart({
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
    role: 'start',
    lane: 'start',
    session: null,
    turn: null,
  });
  const { _id: replicate } = await lineage.replicates.open(
    { owner, snapshot, purpose: 'search', index: 0, hostClass: 'class' },
    0,
    secret,
  );
  return { owner, trial, replicate };
}

const TRAIN = { what: 'train', purpose: 'search', boundMs: 10, slots: 1 } as const;

it('stops a trial that has lost ten workers, and lets it begin once more after a person has looked', async () => {
  const { owner, trial, replicate } = await freshReplicate();
  const context = await hostContext();
  const request = { ...TRAIN, trial, replicate, published: () => null };
  const attempt = () =>
    withClaim(context, request, new AbortController().signal, () => Promise.resolve('trained'));
  const dies = {
    host: 'host',
    worker: 'host:0',
    what: 'train',
    run: 'p',
    since: new Date(),
  };

  for (let lost = 1; lost <= 9; lost += 1) await lineage.replicates.claim(replicate, dies);
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });

  await lineage.replicates.claim(replicate, dies);
  await expect(attempt()).rejects.toMatchObject({ code: 'WORKERS_LOST', retryable: false });
  expect((await lineage.replicates.get(replicate)).holder).toBeNull();
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('uses a result that was published while it waited for its turn, and runs and charges nothing', async () => {
  const { owner, trial, replicate } = await freshReplicate();
  const context = await hostContext();
  const published = ({ trained }: ReplicateDocument): number | null => trained?.fence ?? null;
  const request = { ...TRAIN, trial, replicate, published };
  const claim = (work: () => Promise<number>) =>
    withClaim(context, request, new AbortController().signal, work);
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
  const context = await hostContext();
  const work = { ...TRAIN, trial, replicate, published: () => null };
  const sleepMs = 120;
  const claim = (boundMs: number, slots: number) =>
    withClaim(context, { ...work, boundMs, slots }, new AbortController().signal, () => sleep(sleepMs));
  await claim(1_000_000, 1);
  await claim(1_000_000, 50);
  await claim(100, 50);
  const spent = (await lineage.budgets.rows(owner, 10)).map((row) => row.spent.acceleratorMs);
  expect(spent[0]).toBeGreaterThanOrEqual(sleepMs - 1);
  expect(spent[1]).toBeGreaterThanOrEqual(50 * (sleepMs - 1));
  expect(spent[2]).toBe(100);
});
