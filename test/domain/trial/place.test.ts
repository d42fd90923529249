import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/domain/trial/outcome.js';
import { endedByHost, returnsPlace } from '../../../src/domain/trial/place.js';
import type { TrialStatus } from '../../../src/domain/statuses.js';

const failureOf = (status: TrialStatus, busyHost: boolean): Failure => ({
  ...{ status, phase: 'train', reason: 'late', limit: null, tail: '' },
  busyHost,
});
const ended = (status: TrialStatus, failure: Failure | null = null) => ({ status, failure });
const LATE = 'train_budget_overrun';

describe('the place of a trial among those that count', () => {
  it.each([
    ['is kept while it runs', true, null, false, false, false],
    ['is kept by a measured one', true, ended('discard'), false, true, false],
    [
      'is kept by one that crashed in training',
      true,
      ended('crash', failureOf('crash', false)),
      false,
      true,
      false,
    ],
    ['comes back from a failed check', true, ended('size_blocked'), true, false, true],
    ['comes back from one cancelled before it was trained', true, ended('cancelled'), false, false, true],
    ['is kept by one cancelled in training', true, ended('cancelled'), false, true, false],
    ['is kept by one that was late', true, ended(LATE, failureOf(LATE, false)), false, true, false],
    ['comes back from one late on a slow host', true, ended(LATE, failureOf(LATE, true)), false, true, true],
    ['is none of a duplicate', false, ended('duplicate', failureOf(LATE, true)), true, false, false],
  ] as const)('%s', (_, counts, outcome, failedCheck, begun, returned) => {
    expect(returnsPlace({ counts, outcome, failedCheck, begun })).toBe(returned);
  });

  it('a trial without an end was not ended by its host', () => {
    expect(endedByHost(null)).toBe(false);
  });
});
