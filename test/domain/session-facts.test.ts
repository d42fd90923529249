import { describe, expect, it } from 'vitest';
import { directionsOf } from '../../src/domain/session/directions.js';
import { expectationsOf } from '../../src/domain/session/expectations.js';
import { failureGroups } from '../../src/domain/session/failure-groups.js';
import type { TrialStatus } from '../../src/domain/statuses.js';

const expected = (expectedDelta: number | null, delta: number | null) => ({ expectedDelta, delta });

describe('expectations', () => {
  it.each([
    ['nobody expected anything', [expected(null, 1), expected(0, 1)], null],
    ['nothing was measured', [expected(1, null)], null],
    ['one trial', [expected(-0.5, -0.25)], { trials: 1, share: 0.5, sameSign: 1 }],
    [
      'several: the median, and the signs',
      [expected(-0.5, 0.5), expected(-0.5, -0.125), expected(-0.5, -0.25), expected(1, null)],
      { trials: 3, share: 0.25, sameSign: 2 },
    ],
  ])('where %s', (_, rows, found) => {
    expect(expectationsOf(rows)).toEqual(found);
  });
});

const ended = (number: number, status: TrialStatus | null, phase?: string) => ({
  number,
  status,
  outcome:
    status === null ? null : { lesson: `of ${number}`, failure: phase === undefined ? null : { phase } },
});

it('failures are grouped by status and phase, the most frequent first', () => {
  const trials = [
    ended(9, null),
    ended(8, 'keep'),
    ended(7, 'crash', 'pack'),
    ended(6, 'crash', 'train'),
    ended(5, 'duplicate'),
    ended(4, 'size_blocked'),
    ended(3, 'crash', 'train'),
  ];
  expect(failureGroups(trials)).toEqual([
    { status: 'crash', phase: 'train', trials: [6, 3], lesson: 'of 6' },
    { status: 'crash', phase: 'pack', trials: [7], lesson: 'of 7' },
    { status: 'size_blocked', phase: null, trials: [4], lesson: 'of 4' },
  ]);
});

const tried = (
  number: number,
  status: TrialStatus | null,
  hypothesis: string,
  domain: string | null = null,
) => ({
  ...{ number, status, hypothesis, domain },
  changes: '',
});

describe('directions', () => {
  it('are the domains of the task, those without a trial too', () => {
    const trials = [
      tried(5, 'discard', 'a', 'optimiser'),
      tried(4, null, 'b', 'optimiser'),
      tried(3, 'keep', 'c', 'optimiser'),
      tried(2, 'discard', 'd'),
    ];
    expect(directionsOf(trials, ['optimiser', 'data'])).toEqual([
      { name: 'optimiser', trials: [5, 3], kept: 1, sinceKept: 1 },
      { name: 'data', trials: [], kept: 0, sinceKept: 0 },
    ]);
  });

  it('are else three or more proposals that are alike in their words', () => {
    const trials = [
      tried(9, 'discard', 'lower the learning rate at the end of the schedule'),
      tried(8, 'discard', 'share the embedding between layers'),
      tried(7, 'discard', 'raise the learning rate at the end of the schedule'),
      tried(6, 'discard', 'pack weights by column'),
      tried(5, 'discard', 'a longer schedule of the learning rate at the end'),
    ];
    expect(directionsOf(trials, [])).toEqual([
      { name: trials[0]?.hypothesis, trials: [9, 7, 5], kept: 0, sinceKept: 3 },
    ]);
    expect(directionsOf([], [])).toEqual([]);
  });
});
