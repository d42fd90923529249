import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_NOISE, sdOf, withRuns } from '../../../src/domain/decision/noise.js';

const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const runs = fc.array(within(-10, 10), { minLength: 1, maxLength: 4 });

describe('the noise of a metric', () => {
  it('is pooled over recipes, each about its own mean', () => {
    fc.assert(
      fc.property(runs, runs, within(-1e3, 1e3), (one, other, shift) => {
        const apart = withRuns(withRuns(NO_NOISE, one), other);
        const moved = withRuns(
          withRuns(NO_NOISE, one),
          other.map((score) => score + shift),
        );
        expect(moved.squares).toBeCloseTo(apart.squares, 6);
        expect(apart.degrees).toBe(one.length + other.length - 2);
      }),
    );
  });

  it('is positive where runs show no spread', () => {
    expect(sdOf(withRuns(NO_NOISE, [2, 2, 2]), 2)).toBeGreaterThan(0);
    expect(sdOf(NO_NOISE, 0)).toBeGreaterThan(0);
  });
});
