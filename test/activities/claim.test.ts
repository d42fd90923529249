import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { withClaim } from '../../activities/claim.js';
import type { HostContext } from '../../activities/context.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { LeasePool } from '../../src/sandbox/lease.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TaskHost } from '../../src/tasks/host.js';
import { frozenOf } from '../lineage/contract.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `claim_${process.pid}` });
});
afterAll(() => lineage.close());

async function hostContext(): Promise<HostContext> {
  return {
    lineage,
    host: { name: 'host', hostClass: 'class', worker: 'host:1', process: 'p', work: '/nowhere' },
    tasks: new TaskHost('/nowhere', '/nowhere'),
    sandbox: await openSandbox({ tier: 'E' }),
    leases: new LeasePool('cpu', 1, '/nowhere'),
  };
}

it('stops a trial that has lost ten workers, and lets it begin once more after a person has looked', async () => {
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
  const context = await hostContext();
  const request = { what: 'train' as const, trial, replicate, boundMs: 10, published: () => null };
  const attempt = () =>
    withClaim(context, request, new AbortController().signal, () => Promise.resolve('trained'));
  const dies = { host: 'host', worker: 'host:0', what: 'train', run: 'p', since: new Date() };

  for (let lost = 1; lost <= 9; lost += 1) await lineage.replicates.claim(replicate, dies);
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });

  await lineage.replicates.claim(replicate, dies);
  await expect(attempt()).rejects.toMatchObject({ code: 'WORKERS_LOST', retryable: false });
  expect((await lineage.replicates.get(replicate)).holder).toBeNull();
  await expect(attempt()).resolves.toEqual({ kind: 'done', result: 'trained' });
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});
