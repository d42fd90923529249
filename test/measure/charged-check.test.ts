import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { preflightBoundMs } from '../../src/domain/task/bounds.js';
import { openLineage, type Lineage } from '../../src/lineage/lineage.js';
import { chargedCheck } from '../../src/measure/charged-check.js';
import { parseTask } from '../../src/tasks/load.js';
import { frozenOf } from '../builders/frozen-campaign.js';
import { TINY } from '../fixtures/tiny.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `charged_check_${process.pid}` });
});
afterAll(() => lineage.close());

const { signal } = new AbortController();
const yaml = readFileSync(join(TINY, 'task.yaml'), 'utf8');
/** A smoke run of 40 s on both accelerators, after a check of 20 s. */
const task = parseTask(
  yaml
    .replace('pool: cpu, slots: 1', 'pool: gpu, gpus: 2')
    .replace('phases:\n', "phases:\n  smoke: { run: 'true', timeout_s: 40, gpus: 2 }\n"),
  'task.yaml',
);

/** A campaign whose budget has room for so much accelerator time. */
async function withBudget(acceleratorMs: number) {
  const owner = `test/${randomUUID()}`;
  const { frozen } = await lineage.campaigns.freeze(frozenOf(`c-${randomUUID()}`, owner));
  await lineage.campaigns.setState(owner, 'running', null);
  await lineage.budgets.create(owner, { ...frozen.limits, acceleratorMs });
  return owner;
}
const charge = (owner: string) => ({
  owner,
  key: `${owner}/check/1`,
  what: 'check',
  role: 'check',
  trial: null,
});
const wait = () => new Promise<string>((resolve) => setTimeout(() => resolve('done'), 50));

it('charges what a check took of its accelerators, also where it failed', async () => {
  expect(preflightBoundMs(task)).toBe(2 * (20 + 40) * 1000 * 2);
  const owner = await withBudget(preflightBoundMs(task));
  expect(await chargedCheck(lineage, task, charge(owner), signal, wait)).toEqual({ done: 'done' });
  const failing = { ...charge(owner), key: `${owner}/check/2` };
  await lineage.budgets.changeLimits(owner, { id: 'more', by: null, change: { acceleratorSeconds: 1000 } });
  const failed = chargedCheck(lineage, task, failing, signal, () =>
    wait().then(() => Promise.reject(new Error('x'))),
  );
  await expect(failed).rejects.toThrow('x');
  const rows = await lineage.budgets.rows(owner, 10);
  expect(rows.map(({ what, certainty }) => [what, certainty])).toEqual([
    ['check', 'known'],
    ['check', 'known'],
  ]);
  for (const { spent } of rows) {
    expect(spent.acceleratorMs).toBeGreaterThanOrEqual(2 * 49);
    expect(spent.acceleratorMs).toBeLessThan(preflightBoundMs(task));
  }
  expect((await lineage.budgets.get(owner)).open).toEqual({});
});

it('does not begin one for which the budget has no room, and pauses the campaign', async () => {
  const owner = await withBudget(preflightBoundMs(task) - 1);
  let ran = false;
  const work = () => Promise.resolve((ran = true));
  expect(await chargedCheck(lineage, task, charge(owner), signal, work)).toBeNull();
  expect(ran).toBe(false);
  expect((await lineage.campaigns.byOwner(owner)).control).toBe('paused');
});

it('costs nothing where it uses none', async () => {
  const owner = await withBudget(0);
  const cpu = parseTask(yaml, 'task.yaml');
  expect(await chargedCheck(lineage, cpu, charge(owner), signal, wait)).toEqual({ done: 'done' });
  expect(await lineage.budgets.rows(owner, 10)).toEqual([]);
});
