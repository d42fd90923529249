import { randomUUID } from 'node:crypto';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { limitsFrom } from '../../src/domain/money/budget.js';
import type { Clock } from '../../src/domain/campaign/clock.js';
import { NOTHING, type Reservation } from '../../src/lineage/budgets/budgets.js';
import type { BudgetDocument } from '../../src/lineage/documents/budget.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { textOfReason } from '../../src/domain/campaign/reasons.js';
import { pauseExhausted } from '../../src/lineage/budgets/pause-on-exhausted-budget.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { handClock, type HandClock } from '../fixtures/hand-clock.js';

const DATABASE = `budgets_${process.pid}`;
const open = (clock?: Clock): Promise<Lineage> =>
  openLineage({ url: inject('storeUrl'), database: DATABASE }, clock && { clock });

let lineage: Lineage;
beforeAll(async () => {
  lineage = await open();
});
afterAll(() => lineage.close());

const owner = (): string => `test/${randomUUID()}`;
const model = (of: string, key: string, microUsd: number): Reservation => ({
  owner: of,
  key: `${of}/${key}`,
  amounts: { ...NOTHING, microUsd },
  what: 'model',
  role: 'solo',
  trial: null,
});

function onlyOpen({ open }: BudgetDocument): BudgetDocument['open'][string] {
  const [only, ...more] = Object.values(open);
  if (only === undefined || more.length > 0) throw new Error('not one reservation is open');
  return only;
}

async function campaign(on: Lineage): Promise<string> {
  const of = owner();
  const { frozen } = await on.campaigns.freeze(frozenOf(`c-${randomUUID().slice(0, 8)}`, of));
  await on.budgets.create(of, frozen.limits);
  return of;
}

describe('a budget under concurrency', () => {
  it('adds up to the ledger and what is open, while requests settle and its limits change under them', async () => {
    const of = owner();
    await lineage.budgets.create(of, { ...limitsFrom({ trials: 1 }), microUsd: 100 });
    const limits = [0.0003, 0.00005, 0.0002, 0.0004, 0.0001];
    const spend = async (i: number): Promise<void> => {
      const reservation = model(of, `k.${i}`, 10 + (i % 7));
      if ((await lineage.budgets.reserve(reservation)) !== 'reserved') return;
      if (i % 5 === 0) return;
      const spent = { ...NOTHING, microUsd: i % 10 };
      await Promise.all([1, 2].map(() => lineage.budgets.settle(of, reservation.key, spent, 'known')));
    };
    const change = (dollars: number, i: number) =>
      lineage.budgets.changeLimits(of, { id: `u${i % 4}`, by: null, change: { dollars } });
    await Promise.all([
      ...Array.from({ length: 60 }, (_, i) => spend(i)),
      ...limits.map(change),
      ...limits.map(change),
    ]);
    const budget = await lineage.budgets.get(of);
    const rows = await lineage.budgets.rows(of, 1000);
    const settled = rows.reduce((sum, row) => sum + row.spent.microUsd, 0);
    const reserved = Object.values(budget.open).reduce((sum, each) => sum + each.reserved.microUsd, 0);
    expect(settled + reserved).toBe(budget.held.microUsd);
    expect(new Set(rows.map((row) => row._id)).size).toBe(rows.length);
    expect(Object.keys(budget.open).length).toBeGreaterThan(0);
    expect(rows.length).toBeGreaterThan(0);
    expect(budget.held.microUsd).toBeLessThanOrEqual(400);
    expect(budget.revision).toBe(4);
    expect(budget.changes.map(({ id }) => id).sort()).toEqual(['u0', 'u1', 'u2', 'u3']);
    for (const [i, { from }] of budget.changes.entries())
      if (i > 0) expect(from).toEqual(budget.changes[i - 1]?.to);
    expect(budget.limits).toEqual(budget.changes.at(-1)?.to);
  });

  it('grants nothing above a limit that was lowered before, and all that fits when it is raised', async () => {
    const of = owner();
    await lineage.budgets.create(of, { ...limitsFrom({ trials: 1 }), microUsd: 100 });
    const ask = async (prefix: string): Promise<number> => {
      const asked = Array.from({ length: 30 }, (_, i) =>
        lineage.budgets.reserve(model(of, `${prefix}${i}`, 10)),
      );
      return (await Promise.all(asked)).filter((result) => result === 'reserved').length;
    };
    expect(await ask('a')).toBe(10);
    await lineage.budgets.changeLimits(of, { id: '1', by: null, change: { dollars: 0.00005 } });
    expect(await ask('b')).toBe(0);
    await lineage.budgets.changeLimits(of, { id: '2', by: 'ann', change: { dollars: 0.00018 } });
    expect(await ask('c')).toBe(8);
    expect((await lineage.budgets.get(of)).held.microUsd).toBe(180);
  });

  it('puts a reservation in the place of what was held for it, though nothing else has room', async () => {
    const of = owner();
    await lineage.budgets.create(of, { ...limitsFrom({ trials: 1 }), microUsd: 100 });
    expect(await lineage.budgets.reserve(model(of, 'kept', 40))).toBe('reserved');
    expect(await lineage.budgets.reserve(model(of, 'search', 60))).toBe('reserved');
    const run = { ...model(of, 'run', 40), instead: model(of, 'kept', 40).key };
    const late = { ...model(of, 'late', 1), instead: run.instead };
    const asked = [run, run, model(of, 'other', 1), run, late].map((one) => lineage.budgets.reserve(one));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['reserved', 'exhausted']));
    const { open, held } = await lineage.budgets.get(of);
    const keys = Object.values(open).map(({ key }) => key);
    expect(keys).toContain(model(of, 'search', 60).key);
    expect(keys).not.toContain(run.instead);
    expect(held.microUsd).toBe(Object.values(open).reduce((sum, { reserved }) => sum + reserved.microUsd, 0));
    expect(held.microUsd).toBeLessThanOrEqual(100);
  });

  it('refuses a settled key for ever, also one whose settling was cut off, and pays for it once', async () => {
    const of = owner();
    await lineage.budgets.create(of, limitsFrom({ trials: 1 }));
    const reservation = model(of, 'k', 50);
    await lineage.budgets.reserve(reservation);
    const { hold, key, since, ...held } = onlyOpen(await lineage.budgets.get(of));
    const row = { _id: key, owner: of, hold, ...held, certainty: 'known', saved: null, at: since } as const;
    const client = await MongoClient.connect(inject('storeUrl'));
    const ledger = client.db(DATABASE).collection<LedgerDocument>('ledger');
    await ledger.insertOne({ ...row, spent: { ...NOTHING, microUsd: 20 } });
    await client.close();
    const results = await Promise.all([1, 2, 3].map(() => lineage.budgets.reserve(reservation)));
    expect(results).toEqual(['settled', 'settled', 'settled']);
    const budget = await lineage.budgets.get(of);
    expect(budget.open).toEqual({});
    expect(budget.held.microUsd).toBe(20);
  });

  it('agrees with its ledger however a late attempt races with the one that gives it up', async () => {
    const of = owner();
    await lineage.budgets.create(of, limitsFrom({ trials: 1 }));
    const { budgets } = lineage;
    const late = async (reservation: Reservation): Promise<number> => {
      if ((await budgets.reserve(reservation)) !== 'reserved') return 0;
      await budgets.settle(of, reservation.key, { ...NOTHING, microUsd: 7 }, 'known');
      return 7;
    };
    const keys = Array.from({ length: 150 }, (_, i) => model(of, `late.${i}`, 50));
    const paid = await Promise.all(
      keys.map(async (reservation, i) => {
        const giveUp = () => budgets.giveUp(of, reservation.key, 'model');
        const [spent] = await Promise.all([late(reservation), giveUp(), ...(i % 2 === 0 ? [giveUp()] : [])]);
        return { key: reservation.key, spent };
      }),
    );
    for (const { key } of keys) await budgets.giveUp(of, key, 'model');
    const { held, open } = await budgets.get(of);
    const rows = new Map((await budgets.rows(of, 1000)).map((row) => [row._id, row.spent.microUsd]));
    expect(open).toEqual({});
    expect(held.microUsd).toBe([...rows.values()].reduce((sum, each) => sum + each, 0));
    // what was really paid is never recorded as less
    for (const { key, spent } of paid) expect(rows.get(key)).toBeGreaterThanOrEqual(spent);
  });

  it('applies a change once, and never goes back to an older one', async () => {
    const of = owner();
    await lineage.budgets.create(of, limitsFrom({ trials: 5 }));
    const change = (id: string, trials: number) =>
      lineage.budgets.changeLimits(of, { id, by: null, change: { trials } });
    await Promise.all([1, 2, 3].map(() => change('first', 10)));
    await change('second', 20);
    expect(await change('first', 10)).toMatchObject({ from: { trials: 5 }, to: { trials: 10 } });
    expect(await lineage.budgets.limits(of)).toMatchObject({ trials: 20, submissions: 80 });
    expect((await lineage.budgets.get(of)).changes.map(({ id }) => id)).toEqual(['first', 'second']);
  });

  it('pauses a running campaign and names the command that resumes it, but neither one that a person stops nor one that a person paused', async () => {
    const of = await campaign(lineage);
    await lineage.budgets.changeLimits(of, { id: '1', by: null, change: { dollars: 1 } });
    const needs = { microUsd: 2_000_000, acceleratorMs: 0 };
    await Promise.all([1, 2, 3].map(() => pauseExhausted(lineage, of, needs)));
    const paused = await lineage.campaigns.byOwner(of);
    expect(paused).toMatchObject({ control: 'paused', exhausted: { budget: 'dollars', needs } });
    expect(textOfReason(paused.controlReason)).toMatch(/`assay budget c-\w+ --dollars 4`$/);
    await lineage.campaigns.setControl(of, 'paused', { kind: 'pause', said: 'lunch' });
    await pauseExhausted(lineage, of, needs);
    expect(await lineage.campaigns.byOwner(of)).toMatchObject({
      controlReason: { kind: 'pause', said: 'lunch' },
      exhausted: null,
    });
    await lineage.campaigns.setControl(of, 'draining', { kind: 'limit', limit: 'trials', at: 5, of: 5 });
    await pauseExhausted(lineage, of, needs);
    expect(await lineage.campaigns.byOwner(of)).toMatchObject({ control: 'paused', exhausted: { needs } });
    await lineage.campaigns.setControl(
      of,
      'draining',
      { kind: 'stopping', mode: 'drain' },
      { stopped: true },
    );
    await pauseExhausted(lineage, of, needs);
    expect(await lineage.campaigns.byOwner(of)).toMatchObject({ control: 'draining', exhausted: null });
  });
});

describe('the hours of a campaign in the store', () => {
  /** A worker of its own over the same store, with its own clocks. */
  async function worker(clock: HandClock): Promise<Lineage> {
    return open(clock);
  }

  it('are added once by watchers of several workers, leave recorded pauses out, and survive a jump of the clock', async () => {
    const clocks = [handClock(), handClock(), handClock()];
    const workers = await Promise.all(clocks.map(worker));
    const pass = (ms: number): void => clocks.forEach((clock) => clock.pass(ms));
    const [first, second] = workers;
    if (first === undefined || second === undefined) throw new Error('no workers');
    const of = await campaign(first);
    const look = (): Promise<unknown> =>
      Promise.all(workers.flatMap((each) => [each.campaigns.tick(of, 1), each.campaigns.tick(of, 1)]));
    await look();
    for (let i = 0; i < 5; i += 1) {
      pass(1000);
      await look();
    }
    clocks[0]?.jump(365 * 86_400_000);
    clocks[1]?.jump(-365 * 86_400_000);
    pass(1000);
    await look();
    await Promise.all([look(), second.campaigns.setControl(of, 'paused', { kind: 'pause', said: 'lunch' })]);
    pass(3_600_000);
    await Promise.all([look(), first.campaigns.setControl(of, 'running', null)]);
    pass(1000);
    await look();
    const { elapsed } = await first.campaigns.byOwner(of);
    expect(elapsed).toMatchObject({ ranMs: 7000, stillMs: 3_600_000, sinceGainMs: 7000, gainVersion: 1 });
    await first.campaigns.tick(of, 2);
    expect((await first.campaigns.byOwner(of)).elapsed).toMatchObject({ ranMs: 7000, sinceGainMs: 0 });
    for (const each of workers) await each.close();
  });

  it('count a pause that began before an outage of all workers as a pause, to its end', async () => {
    const [before, after] = [handClock(), handClock()];
    const first = await worker(before);
    const of = await campaign(first);
    before.pass(2000);
    await first.campaigns.tick(of, 1);
    before.pass(700);
    await first.campaigns.setControl(of, 'paused', { kind: 'pause', said: 'night' });
    await first.close();
    after.pass(2700 + 36_000_000);
    const second = await worker(after);
    await second.campaigns.setControl(of, 'running', null);
    after.pass(1000);
    const { elapsed } = await second.campaigns.tick(of, 1);
    expect(elapsed).toMatchObject({ ranMs: 3700, stillMs: 36_000_000 });
    await second.close();
  });
});
