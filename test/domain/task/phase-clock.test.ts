import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { taskSchema, type Task } from '../../../src/domain/task/task.js';
import { leaseBoundMs } from '../../../src/domain/task/bounds.js';
import { longestS, packClock, trainClock, trainTimeout } from '../../../src/domain/task/phase-clock.js';

interface Declared {
  timeout?: number;
  clock?: { budget_s: number; tolerance_s?: number };
  pack?: { timeout_s: number; budget_s?: number; tolerance_s?: number };
}

const parsed = ({ timeout = 15, clock, pack }: Declared) => {
  const from = { from: 'data_visible' } as const;
  return taskSchema.safeParse({
    schema: 'assay.task/1',
    name: 'clocked',
    title: 'clocked',
    metric: { name: 'loss', unit: '', direction: 'minimize' },
    recipe: { editable: ['*'] },
    resources: { slots: 2 },
    phases: {
      train: {
        run: 'true',
        timeout_s: timeout,
        output: 'out/',
        ...(clock && { clock: { ...from, ...clock } }),
      },
      ...(pack && { pack: { run: 'true', output: 'artifact/', ...pack } }),
    },
    scoring: 'direct',
    evaluate: { run: 'true', timeout_s: 1 },
    specialists: ['solo'],
  });
};
const task = (declared: Declared): Task => taskSchema.parse(parsed(declared).data);
const clock = { budget_s: 10 };
const pack = { timeout_s: 10 };

describe('the clock of training', () => {
  it.each<[string, Declared, number | null, number | null, number | null, number]>([
    ['no budget', {}, null, null, null, 15],
    ['a budget with the tolerance that it has by itself', { clock }, null, 10, 1, 11],
    ['a tenth of a long one', { timeout: 900, clock: { budget_s: 600 } }, null, 600, 60, 660],
    ['at least a second', { clock: { budget_s: 2 } }, null, 2, 1, 3],
    ['a declared tolerance', { clock: { ...clock, tolerance_s: 3 } }, null, 10, 3, 13],
    ['none at all', { clock: { ...clock, tolerance_s: 0 } }, null, 10, 0, 10],
    [
      'a wall limit that comes first',
      { timeout: 12, clock: { ...clock, tolerance_s: 30 } },
      null,
      10,
      30,
      12,
    ],
    ['seconds of the campaign', { clock }, 3, 3, 1, 4],
    ['more of them', { clock }, 100, 100, 10, 110],
    ['with a declared tolerance, which does not shrink', { clock: { ...clock, tolerance_s: 4 } }, 5, 5, 4, 9],
    ['and grows with them', { clock: { ...clock, tolerance_s: 4 } }, 20, 20, 8, 28],
    ['seconds of the campaign without a budget of the task', {}, 6, 6, 1, 7],
  ])('%s', (_what, declared, override, seconds, tolerance, limitS) => {
    const budget = seconds === null ? null : { seconds, tolerance };
    expect(trainClock(task(declared), override)).toEqual({ budget, limitS });
  });

  it('never lets a run continue past the wall limit, nor past budget and tolerance', () => {
    const seconds = fc.double({ min: 0.1, max: 1000, noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, fc.option(seconds), fc.option(seconds), (a, b, tolerance, override) => {
        const spec = task({
          timeout: Math.max(a, b),
          clock: { budget_s: Math.min(a, b), ...(tolerance === null ? {} : { tolerance_s: tolerance }) },
        });
        const { budget, limitS } = trainClock(spec, override);
        expect(limitS).toBeLessThanOrEqual(trainTimeout(spec, override));
        expect(limitS).toBeLessThanOrEqual((budget?.seconds ?? 0) + (budget?.tolerance ?? 0));
        expect(budget?.seconds).toBe(override ?? Math.min(a, b));
      }),
    );
  });
});

describe('the clock of packing', () => {
  it.each<[string, Declared, number | null, number | null, number | null, number]>([
    ['no budget where training has none', { pack }, null, null, null, 10],
    ['at least two seconds', { clock, pack }, null, 2, 1, 3],
    [
      'a tenth of training',
      { timeout: 900, clock: { budget_s: 600 }, pack: { timeout_s: 90 } },
      null,
      60,
      6,
      66,
    ],
    ['of what the campaign lets it train', { clock, pack }, 100, 10, 1, 10],
    ['a budget of its own', { clock, pack: { ...pack, budget_s: 5, tolerance_s: 2 } }, null, 5, 2, 7],
    ['without one of training', { pack: { ...pack, budget_s: 5 } }, null, 5, 1, 6],
    ['its wall limit first', { clock, pack: { timeout_s: 1 } }, null, 2, 1, 1],
  ])('%s', (_what, declared, override, seconds, tolerance, limitS) => {
    const budget = seconds === null ? null : { seconds, tolerance };
    expect(packClock(task(declared), override)).toEqual({ budget, limitS });
  });
});

it('a lease holds the second run of each phase', () => {
  const nothing = { trained: false, packed: false, warm: false };
  expect(leaseBoundMs(task({ pack }), null, nothing)).toBe(2 * 2 * (15 + 10) * 1000);
  expect(leaseBoundMs(task({ clock, pack }), null, nothing)).toBe(2 * (22 + 6) * 1000);
  expect(leaseBoundMs(task({ clock, pack }), null, { trained: true, packed: false, warm: true })).toBe(
    2 * 6 * 1000,
  );
  expect(longestS({ budget: null, limitS: 5 })).toBe(10);
});

it.each([
  [{ clock: { budget_s: 16 } }, 'phases,train,clock,budget_s'],
  [{ pack: { timeout_s: 5, budget_s: 6 } }, 'phases,pack,budget_s'],
])('a budget above its wall limit is refused: %j', (declared, path) => {
  const issue = parsed(declared).error?.issues[0];
  expect(issue?.path.join()).toBe(path);
  expect(issue?.message).toMatch(/^a budget of \d+ s is above the timeout_s of \d+ s$/);
});
