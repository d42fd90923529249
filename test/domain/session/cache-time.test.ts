import { expect, it } from 'vitest';
import { cacheTimeOf } from '../../../src/domain/session/cache-time.js';

const MINUTE = 60_000;
it.each([
  ['short trials', [1, 2, 3], 30, '5m'],
  ['long trials', [9, 1, 10], 1, '1h'],
  ['a median at the edge', [4, 4], 60, '5m'],
  ['two trials, one of them long', [1, 30], 60, '5m'],
  ['no trial yet, a short limit', [], 4, '5m'],
  ['no trial yet, a long limit', [], 10, '1h'],
])('keeps prompts of %s in minutes as long as they are waited for', (_, waited, limit, time) => {
  expect(
    cacheTimeOf(
      waited.map((minutes) => minutes * MINUTE),
      limit * MINUTE,
    ),
  ).toBe(time);
});
