import { expect, it } from 'vitest';
import {
  evaluateInBudget,
  runInBudget,
  type BudgetedEvaluation,
  type BudgetedRun,
} from '../../../src/measure/phases/in-budget.js';

const wall = (used: number) => ({ kind: 'limit', limit: 'wall', used, allowed: 11 }) as const;
const run = (
  ending: BudgetedRun['result']['ending'],
  hostSpeed: number | null = 1,
  usualSpeed: number | null = null,
): BudgetedRun => ({ result: { ending, hostSpeed, cpuS: null, load: 0 }, usualSpeed });

const OVER = run(wall(11.1));
const SLOW = run(wall(11.1), 0.5, 0.95);
const UNKNOWN = run(wall(11.1), null);
const WELL = run({ kind: 'exited', code: 0 }, 0.5, 1);
const CRASHED = run({ kind: 'exited', code: 1 }, 0.5, 1);
const MEMORY = run({ kind: 'limit', limit: 'memory', used: 2, allowed: 1 }, 0.5, 1);

it.each([
  ['ends well', [WELL], 1, 0],
  ['crashes', [CRASHED], 1, 0],
  ['exceeds another limit', [MEMORY], 1, 0],
  ['overruns on a host at full speed', [OVER], 1, 1],
  ['overruns on a host that is always so slow', [run(wall(12), 0.5, 0.5)], 1, 1],
  ['overruns where nobody knows how fast the host was', [UNKNOWN], 1, 1],
  ['overruns on a slow host, and ends well', [SLOW, WELL], 2, 0],
  ['overruns on a slow host, and crashes', [SLOW, CRASHED], 2, 0],
  ['overruns on a slow host, and again', [SLOW, OVER], 2, 2],
  ['overruns on a slow host, and again on one', [SLOW, SLOW], 2, 2],
])('what %s', async (_what, results, runs, overruns) => {
  const asked: boolean[] = [];
  const done = await runInBudget((again) => {
    const result = results[asked.length];
    asked.push(again);
    return result === undefined ? Promise.reject(new Error('run too often')) : Promise.resolve(result);
  });
  expect(done.last).toBe(results.at(-1));
  expect(done.repeated).toBe(runs === 2 ? results[0] : null);
  expect(asked).toEqual([false, true].slice(0, runs));
  expect(done.overruns).toHaveLength(overruns);
});

/** An evaluation that ended like this, on a host of this speed. */
const evaluation = (
  status: 'eval_budget_overrun' | 'crash' | null,
  hostSpeed: number | null,
): BudgetedEvaluation => ({
  failure: status === null ? null : { status, phase: 'evaluate', reason: 'late', limit: null, tail: '' },
  runs: [{ hostSpeed, usualSpeed: null }],
});

it.each([
  ['is late on a host at full speed', [evaluation('eval_budget_overrun', 1)], null],
  ['is late where nobody knows how fast the host was', [evaluation('eval_budget_overrun', null)], null],
  ['crashes on a slow host', [evaluation('crash', 0.5)], null],
  [
    'is late on a slow host, and then not',
    [evaluation('eval_budget_overrun', 0.5), evaluation(null, 0.5)],
    null,
  ],
  [
    'is late on a slow host, and again',
    [evaluation('eval_budget_overrun', 0.5), evaluation('eval_budget_overrun', 1)],
    'slower than usual the first time',
  ],
  [
    'is late on a slow host, and again on one',
    [evaluation('eval_budget_overrun', 0.5), evaluation('eval_budget_overrun', 0.6)],
    'slower than usual both times',
  ],
])('an evaluation that %s', async (_what, results, host) => {
  const asked: boolean[] = [];
  const done = await evaluateInBudget((again) => {
    const result = results[asked.length];
    asked.push(again);
    return result === undefined ? Promise.reject(new Error('run too often')) : Promise.resolve(result);
  });
  expect(asked).toEqual([false, true].slice(0, results.length));
  expect(done.repeated).toBe(results.length === 2 ? results[0] : null);
  if (host === null) {
    expect(done.last).toBe(results.at(-1));
    return;
  }
  expect(done.last.failure?.reason).toMatch(new RegExp(`${host}$`));
  expect(done.last.failure?.busyHost).toBe(host.endsWith('both times'));
});
