import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimOf } from '../../../src/domain/decision/claim.js';
import { twoSided, twoSidedQuantile } from '../../../src/domain/decision/student.js';

const score = fc.double({ min: -100, max: 100, noNaN: true });
const runs = fc.array(score, { minLength: 2, maxLength: 12 });
const confidence = fc.constantFrom(0.9, 0.99, 0.999);

describe('the t distribution', () => {
  it('has the quantiles of the tables', () => {
    // two-sided 1 %: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, column 0.995
    const table: [degrees: number, t: number][] = [
      [1, 63.657],
      [2, 9.925],
      [5, 4.032],
      [7, 3.499],
      [14, 2.977],
      [30, 2.75],
      [100, 2.626],
    ];
    for (const [degrees, t] of table) expect(twoSidedQuantile(0.01, degrees)).toBeCloseTo(t, 3);
    // Cauchy, in closed form
    expect(twoSided(1, 1)).toBeCloseTo(0.5, 12);
    // two degrees of freedom, in closed form
    expect(twoSided(3, 2)).toBeCloseTo(1 - 3 / Math.sqrt(11), 12);
  });

  it('has quantiles that are the inverse of its tails', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-4, max: 0.9, noNaN: true }),
        fc.double({ min: 1, max: 300, noNaN: true }),
        (alpha, degrees) => {
          expect(twoSided(twoSidedQuantile(alpha, degrees), degrees)).toBeCloseTo(alpha, 9);
        },
      ),
    );
  });
});

describe('a claim', () => {
  it('is the same for a metric that is maximised and its mirror image', () => {
    fc.assert(
      fc.property(runs, runs, confidence, (start, frontier, level) => {
        const down = claimOf({ direction: 'minimize', start, frontier, confidence: level });
        const up = claimOf({
          direction: 'maximize',
          start: start.map((one) => -one),
          frontier: frontier.map((one) => -one),
          confidence: level,
        });
        expect(up.gained).toBe(down.gained);
        expect(up.difference).toBeCloseTo(-down.difference, 9);
      }),
    );
  });

  it('says that nothing was gained where the interval holds zero, or lies on the worse side', () => {
    fc.assert(
      fc.property(runs, runs, confidence, (start, frontier, level) => {
        const { interval, gained, difference } = claimOf({
          direction: 'minimize',
          start,
          frontier,
          confidence: level,
        });
        expect(interval[0]).toBeLessThanOrEqual(difference);
        expect(interval[1]).toBeGreaterThanOrEqual(difference);
        expect(gained).toBe(interval[1] < 0);
      }),
    );
  });

  it('has a wider interval the surer it is to be', () => {
    fc.assert(
      fc.property(runs, runs, (start, frontier) => {
        const of = (level: number): number => {
          const [low, high] = claimOf({ direction: 'minimize', start, frontier, confidence: level }).interval;
          return high - low;
        };
        expect(of(0.99)).toBeGreaterThanOrEqual(of(0.9));
      }),
    );
  });

  it('is exact where no run differs from another', () => {
    const exact = { direction: 'minimize', start: [2, 2], frontier: [1, 1], confidence: 0.99 } as const;
    expect(claimOf(exact)).toMatchObject({ gained: true, interval: [-1, -1], degrees: null });
    expect(claimOf({ ...exact, frontier: [2, 2] }).gained).toBe(false);
  });

  it('agrees with a worked example of Welch’s test', () => {
    const { degrees, difference, interval } = claimOf({
      direction: 'minimize',
      start: [27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4],
      frontier: [27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4],
      confidence: 0.95,
    });
    // the first example of the article on Welch's test in Wikipedia: t = −2.46, ν = 25.0, p = 0.021
    expect(degrees).toBeCloseTo(25, 0);
    const half = (interval[1] - interval[0]) / 2;
    const t = (difference / half) * twoSidedQuantile(0.05, degrees ?? 0);
    expect(t).toBeCloseTo(2.46, 2);
    expect(twoSided(t, degrees ?? 0)).toBeCloseTo(0.021, 3);
  });
});
