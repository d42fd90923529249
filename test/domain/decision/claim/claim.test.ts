import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  claimOf,
  claimResultSchema,
  intervalOf,
  type ClaimRuns,
} from '../../../../src/domain/decision/claim/claim.js';
import { twoSided, twoSidedQuantile } from '../../../../src/domain/decision/belief/student.js';

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
        const down = intervalOf({ direction: 'minimize', start, frontier, confidence: level });
        const up = intervalOf({
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
        const { interval, gained, difference } = intervalOf({
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
          const [low, high] = intervalOf({
            direction: 'minimize',
            start,
            frontier,
            confidence: level,
          }).interval;
          return high - low;
        };
        expect(of(0.99)).toBeGreaterThanOrEqual(of(0.9));
      }),
    );
  });

  it('has no width where no run differs from another', () => {
    const exact = { direction: 'minimize', start: [2, 2], frontier: [1, 1], confidence: 0.99 } as const;
    expect(intervalOf(exact)).toMatchObject({ gained: true, interval: [-1, -1], degrees: null });
    expect(intervalOf({ ...exact, frontier: [2, 2] }).gained).toBe(false);
  });

  it('agrees with a worked example of Welch’s test', () => {
    const { degrees, difference, interval } = intervalOf({
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

/** Runs that each left their own artifact, unless one is named. */
const measured = (scores: readonly number[], artifact?: string): ClaimRuns['start'] =>
  scores.map((one, i) => ({ score: one, artifact: artifact ?? `${scores.join()} ${i}` }));
const noisy = [2.305137714, 2.241089437, 2.370442819, 2.288613902];
/** The fresh runs of a real frontier, 50 times quieter than its start. */
const quiet = [0.93345, 0.93207, 0.93233, 0.93044];
const steps = [0.9, 0.91, 0.89, 0.9];

describe('fresh runs', () => {
  const weigh = (start: ClaimRuns['start'], frontier: ClaimRuns['start'], deterministic = false) =>
    claimOf({ direction: 'minimize', start, frontier, confidence: 0.99 }, { deterministic });

  it.each<[what: string, start: ClaimRuns['start'], frontier: ClaimRuns['start'], kind: string]>([
    ['of a frontier 50 times quieter than the start', measured(noisy), measured(quiet), 'interval'],
    ['that differ in the seventh digit', measured(noisy), measured([1, 1.0000002, 1, 0.9999997]), 'interval'],
    ['that score the same', measured(noisy), measured([0.93, 0.93, 0.93, 0.93]), 'seed-fixed'],
    ['that are equal to rounding', measured(noisy), measured([0.93, 0.93 + 1e-12, 0.93, 0.93]), 'seed-fixed'],
    ['that left the same artifact', measured(noisy), measured(quiet, 'same'), 'seed-fixed'],
    ['in steps that score the same', measured(steps), measured([0.8, 0.8, 0.8, 0.8]), 'interval'],
    [
      'in steps with the same artifact',
      measured(steps),
      measured([0.8, 0.8, 0.8, 0.8], 'same'),
      'seed-fixed',
    ],
    ['beside a start that is as fixed', measured([2, 2]), measured([1, 1]), 'no-spread'],
    ['beside a start with one artifact', measured([2, 2], 'a'), measured([1, 1], 'b'), 'no-spread'],
    ['of one artifact whose scores differ', measured(noisy, 'a'), measured(quiet, 'b'), 'interval'],
    ['with noise beside a start without', measured([2, 2, 2]), measured([1, 1.1, 1.2]), 'interval'],
  ])('%s', (_, start, frontier, kind) => {
    const result = weigh(start, frontier);
    expect(result.kind === 'interval' ? result.kind : result.because).toBe(kind);
    expect(result.difference).toBeCloseTo(result.frontier.mean - result.start.mean, 12);
  });

  it('of a quiet frontier make an ordinary claim', () => {
    const claim = weigh(measured(noisy), measured(quiet));
    expect(claim).toEqual(
      intervalOf({ direction: 'minimize', start: noisy, frontier: quiet, confidence: 0.99 }),
    );
    expect(claim).toMatchObject({ kind: 'interval', gained: true });
    expect(claim.frontier.sd).toBeCloseTo(0.00124, 5);
  });

  it('of a task that is deterministic are one measurement, whatever they are', () => {
    expect(weigh(measured([4]), measured([1]), true)).toEqual({
      kind: 'deterministic',
      because: 'declared',
      start: { mean: 4, sd: null, runs: 1 },
      frontier: { mean: 1, sd: null, runs: 1 },
      difference: -3,
      better: true,
    });
    expect(weigh(measured([4]), measured([5]), true)).toMatchObject({ because: 'declared', better: false });
    expect(weigh(measured(noisy), measured(quiet), true)).toMatchObject({ because: 'declared' });
  });

  it('of a fixed seed count as one, beside a start whose spread is known', () => {
    const result = weigh(measured(noisy), measured([1, 1, 1, 1]));
    expect(result).toMatchObject({ start: { runs: 4 }, frontier: { mean: 1, sd: null, runs: 4 } });
    expect(result.start.sd).toBeGreaterThan(0.01);
  });

  it('never give an interval without width', () => {
    const few = fc.array(fc.constantFrom(1, 1.5, 2), { minLength: 2, maxLength: 4 });
    const artifact = fc.option(fc.constantFrom('a', 'b'), { nil: undefined });
    fc.assert(
      fc.property(few, few, artifact, artifact, (start, frontier, one, other) => {
        const result = weigh(measured(start, one), measured(frontier, other));
        if (result.kind === 'interval') expect(result.interval[1]).toBeGreaterThan(result.interval[0]);
        else expect(result.better).toBe(result.frontier.mean < result.start.mean);
      }),
    );
  });

  it('of honest recipes, however quiet, are never taken for a fixed seed', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: -1000, max: 1000 }), { minLength: 8, maxLength: 8 }),
        fc.constantFrom(1, 5, 10, 50, 1000),
        (drawn, quieter) => {
          const draws = drawn.map((one) => Math.tanh(one / 700));
          const start = draws.slice(0, 4).map((one) => 2.3 + 0.058 * one);
          const frontier = draws.slice(4).map((one) => 0.93 + (0.058 / quieter) * one);
          expect(weigh(measured(start), measured(frontier)).kind).toBe('interval');
        },
      ),
    );
  });
});

it('a result that was stored before there were kinds is an interval', () => {
  const asked = { direction: 'minimize', start: noisy, frontier: quiet, confidence: 0.99 } as const;
  const { kind, ...before } = intervalOf(asked);
  expect(claimResultSchema.parse(before)).toEqual({ kind, ...before });
  const single = claimOf(
    { ...asked, start: measured([4]), frontier: measured([1]) },
    { deterministic: true },
  );
  expect(claimResultSchema.parse(single)).toEqual(single);
});
