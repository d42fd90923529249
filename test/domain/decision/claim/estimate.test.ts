import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateOf, type EstimateFacts } from '../../../../src/domain/decision/claim/estimate.js';

const NOTHING: EstimateFacts = { fresh: [], believed: null, scores: [], sd: null };
const believed = { mean: 0.9489, sd: 0.032 };
const FRESH = [0.93345, 0.93207, 0.93233, 0.93044];

describe('the best estimate of a true score', () => {
  it.each<[string, Partial<EstimateFacts>, object | null]>([
    ['nothing', {}, null],
    ['one run, noise not known', { scores: [2] }, { mean: 2, error: null, from: 'runs', runs: 1 }],
    ['one run, noise known', { scores: [2], sd: 0.5 }, { mean: 2, error: 0.5, from: 'runs', runs: 1 }],
    ['four runs', { scores: [1, 2, 3, 2], sd: 0.5 }, { mean: 2, error: 0.25, from: 'runs', runs: 4 }],
    ['a belief goes before own runs', { scores: [0.93], sd: 0.06, believed }, { from: 'belief', runs: null }],
    ['one fresh run is not enough', { fresh: [0.93], believed }, { mean: 0.9489, from: 'belief' }],
    ['one fresh run alone is none', { fresh: [0.93] }, null],
    ['equal fresh runs have no error', { fresh: [2, 2, 2], believed }, { mean: 2, error: null, runs: 3 }],
    ['equal to rounding', { fresh: [2, 2 + 1e-12] }, { error: null, from: 'fresh' }],
  ])('%s', (_, facts, expected) => {
    const estimate = estimateOf({ ...NOTHING, ...facts });
    if (expected === null) expect(estimate).toBeNull();
    else expect(estimate).toMatchObject(expected);
  });

  it('takes four fresh runs before a wide belief', () => {
    const estimate = estimateOf({ ...NOTHING, fresh: FRESH, believed, scores: [0.93195], sd: 0.058 });
    expect(estimate).toMatchObject({ from: 'fresh', runs: 4 });
    expect(estimate?.mean).toBeCloseTo(0.9320725, 7);
    expect(estimate?.error).toBeCloseTo(0.00062, 5);
  });

  it('is between the extremes of what it was made of, with an error of that size', () => {
    const scores = fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(scores, (fresh) => {
        const estimate = estimateOf({ ...NOTHING, fresh, believed });
        const [low, high] = [Math.min(...fresh), Math.max(...fresh)];
        expect(estimate?.mean).toBeGreaterThanOrEqual(low - 1e-9);
        expect(estimate?.mean).toBeLessThanOrEqual(high + 1e-9);
        expect(estimate?.error ?? 0).toBeLessThanOrEqual((high - low) / Math.SQRT2 + 1e-9);
      }),
    );
  });
});
