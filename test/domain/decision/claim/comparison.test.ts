import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalOf } from '../../../../src/domain/decision/claim/claim.js';
import { compareRuns } from '../../../../src/domain/decision/claim/comparison.js';

const BASE = { direction: 'minimize', paired: false, confidence: 0.95 } as const;
const START = [2.0, 2.1, 1.9, 2.04];
const moved = (by: number): number[] => [0.01, -0.02, 0.03, 0].map((off) => 2 + by + off);

describe('equal numbers of runs, fixed in advance', () => {
  it.each([
    ['far better', moved(-1), 'minimize', 'better'],
    ['far worse', moved(1), 'minimize', 'worse'],
    ['far better', moved(1), 'maximize', 'better'],
    ['no clear difference', moved(0.01), 'minimize', null],
  ] as const)('%s: %j', (_, trial, direction, side) => {
    const { interval, difference, ...compared } = compareRuns({ ...BASE, direction, start: START, trial });
    expect(compared).toMatchObject({ runs: 4, side, paired: false, confidence: 0.95 });
    expect(interval?.[0]).toBeLessThan(difference);
    expect(interval?.[1]).toBeGreaterThan(difference);
  });

  it('gives the error of the difference of two means', () => {
    const { standardError, start, trial } = compareRuns({ ...BASE, start: [1, 2, 3], trial: [2, 4, 6] });
    expect([start, trial]).toEqual([
      { mean: 2, sd: 1 },
      { mean: 4, sd: 2 },
    ]);
    expect(standardError).toBeCloseTo(Math.sqrt(1 / 3 + 4 / 3), 12);
  });

  it('has no interval where runs that should differ are equal', () => {
    for (const [start, trial] of [
      [START, [1, 1, 1, 1]],
      [[2, 2, 2, 2], moved(-1)],
      [
        [2, 2],
        [1, 1],
      ],
    ] as const)
      expect(compareRuns({ ...BASE, start, trial })).toMatchObject({
        standardError: null,
        interval: null,
        side: null,
      });
  });

  it('compares runs in pairs by their differences', () => {
    const paired = { ...BASE, paired: true, start: START } as const;
    const trial = START.map((score, i) => score - 0.01 - i / 1000);
    const { standardError, interval, side } = compareRuns({ ...paired, trial });
    expect(side).toBe('better');
    // the differences are -0.010, -0.011, -0.012, -0.013; t(0.975; 3) = 3.182
    expect(standardError).toBeCloseTo(0.000645, 6);
    expect(interval?.[0]).toBeCloseTo(-0.0115 - 3.18245 * 0.000645497, 7);
    const same = compareRuns({ ...paired, trial: START.map((score) => score - 0.5) });
    expect(same).toMatchObject({ interval: null, standardError: null });
    expect(same.difference).toBeCloseTo(-0.5, 12);
  });

  it('is Welch’s interval, and its mirror image for the other direction', () => {
    const scores = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(scores, scores, (start, trial) => {
        const compared = compareRuns({ ...BASE, start, trial });
        const welch = intervalOf({ ...BASE, start, frontier: trial });
        if (compared.interval !== null) expect(compared.interval).toEqual(welch.interval);
        if (compared.interval !== null) expect(compared.side === 'better').toBe(welch.gained);
        const turned = { start: start.map((one) => -one), trial: trial.map((one) => -one) };
        expect(compareRuns({ ...BASE, direction: 'maximize', ...turned }).side).toBe(compared.side);
      }),
    );
  });
});
