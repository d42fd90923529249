import { describe, expect, it } from 'vitest';
import { bestQuantile, expectedBest } from '../../../src/analysis/noise/best-of-n.js';
import { keptSteps, selectionFigures } from '../../../src/analysis/noise/kept-steps.js';
import { estimateNoise, siblingNoise } from '../../../src/analysis/noise/noise-estimate.js';
import { normalCdf, normalQuantile } from '../../../src/analysis/noise/normal.js';
import { findPlateau } from '../../../src/analysis/noise/plateau.js';
import { quantile } from '../../../src/analysis/noise/quantile.js';
import { remeasured } from '../../../src/analysis/noise/remeasured.js';
import { trajectoryOf } from '../../builders/trajectory.js';

/** Scores as even as n draws of a normal distribution can be. */
const evenDraws = (n: number, mean: number, sd: number): number[] =>
  Array.from({ length: n }, (_, at) => mean + sd * normalQuantile((at + 0.5) / n));

describe('the normal distribution', () => {
  it.each([
    [0, 0.5],
    [1, 0.8413447460685429],
    [-1.959963984540054, 0.025],
    [3, 0.9986501019683699],
    [-6, 9.865876450376981e-10],
  ])('at %d', (x, share) => {
    expect(normalCdf(x)).toBeCloseTo(share, 12);
    expect(normalQuantile(share)).toBeCloseTo(x, 5);
  });

  it('has known means of the best of n draws', () => {
    // Harter 1961, expected values of normal order statistics
    for (const [n, mean] of [
      [1, 0],
      [2, 0.56419],
      [5, 1.16296],
      [10, 1.53875],
      [100, 2.50759],
    ] as const)
      expect(expectedBest(n)).toBeCloseTo(mean, 4);
  });

  it('has a bound that the best of n draws stays below', () => {
    expect(bestQuantile(1, 0.95)).toBeCloseTo(1.64485, 4);
    expect(normalCdf(bestQuantile(68, 0.95)) ** 68).toBeCloseTo(0.95, 9);
  });
});

it('a quantile is interpolated', () => {
  expect(quantile([3, 1, 2], 0.5)).toBe(2);
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});

describe('a plateau', () => {
  const metric = { name: 'core', unit: '', direction: 'maximize' } as const;
  const draws = evenDraws(40, 0.2, 0.01);
  const flat = draws.map((score, at) => ({ score, metrics: { bpb: 0.7835 + 1e-6 * (at % 20) } }));
  const apart = [
    { score: 0.19, metrics: { bpb: 0.79 } },
    { score: 0.21, metrics: { bpb: 0.7838 } },
    { score: 0.5, metrics: { bpb: 0.7835 }, ending: 'size_blocked' },
    { score: 0.05, metrics: { bpb: 0.7835 }, id: 'diverged' },
  ] as const;

  it('is found among trials that a quieter metric cannot tell apart, and its best is told beside the best of equal draws', () => {
    const plateau = findPlateau(trajectoryOf([...flat, ...apart], { metric }));
    expect(plateau).toMatchObject({ metric: 'bpb', value: 0.7835, outliers: ['diverged'] });
    expect(plateau?.ids).toHaveLength(40);
    expect(plateau?.mean).toBeCloseTo(0.2, 6);
    expect(plateau?.best.score).toBe(draws.at(-1));
    expect(plateau?.expectedSds).toBeCloseTo(expectedBest(40), 9);
    expect(plateau?.expectedBest).toBeCloseTo(0.2 + (plateau?.sd ?? 0) * expectedBest(40), 9);
  });

  it('has its best on the other side where the metric is minimised', () => {
    const plateau = findPlateau(trajectoryOf(flat));
    expect(plateau?.best.score).toBe(draws[0]);
    expect(plateau?.sds).toBeGreaterThan(0);
    expect(plateau?.expectedBest).toBeLessThan(0.2);
  });

  it.each([
    ['no other metric', flat.map(({ score }) => ({ score }))],
    ['too few trials', flat.slice(0, 19)],
    ['equal scores', flat.map((trial) => ({ ...trial, score: 1 }))],
    ['nothing', []],
  ])('is not found in %s', (_, trials) => {
    expect(findPlateau(trajectoryOf(trials))).toBeNull();
  });
});

describe('the noise of a search', () => {
  const siblings = evenDraws(41, 0.9, 0.02).map((score) => ({ score, parent: 0 }));

  it('is that of repeated runs before anything else', () => {
    const noise = { sd: 0.003, degrees: 7 };
    expect(estimateNoise(trajectoryOf(siblings, { noise }), null)).toEqual({ ...noise, by: 'repeated' });
    expect(estimateNoise(trajectoryOf(siblings, { noise: { sd: 1, degrees: 0 } }), null)?.by).toBe(
      'siblings',
    );
  });

  it('is estimated from siblings, to about a tenth, whatever a few of them do', () => {
    const harmful = Array.from({ length: 15 }, (_, at) => ({ score: 2 + at, parent: 0 }));
    const found = siblingNoise(trajectoryOf([...siblings, ...harmful]));
    expect(found?.by).toBe('siblings');
    expect(found?.sd).toBeGreaterThan(0.018);
    expect(found?.sd).toBeLessThan(0.035);
    expect(siblingNoise(trajectoryOf(siblings))?.sd).toBeCloseTo(0.02, 2);
  });

  it('is not known of few, or of none that differ', () => {
    expect(siblingNoise(trajectoryOf(siblings.slice(0, 7)))).toBeNull();
    expect(siblingNoise(trajectoryOf(siblings.map((trial) => ({ ...trial, score: 1 }))))).toBeNull();
  });
});

describe('adoptions beside noise', () => {
  const discard = { ending: 'discard', score: 1.1 } as const;
  const search = trajectoryOf([
    { ending: 'keep', score: 0.9 },
    { ending: 'size_blocked', score: 0.1 },
    ...Array.from({ length: 99 }, () => discard),
    { ending: 'keep', score: 0.869 },
    { ending: 'keep', score: 0.868 },
    { ending: 'keep', score: 0.8, runs: [0.8, 0.8, 0.8, 0.8] },
  ]);

  it('clear it, rest on selection, or are within it', () => {
    const steps = keptSteps(search, 0.01);
    expect(steps.map(({ verdict, draws }) => [verdict, draws])).toEqual([
      ['clear', 1],
      ['selection', 100],
      ['noise', 1],
      ['clear', 1],
    ]);
    expect(steps[0]?.z).toBeCloseTo(0.1 / (0.01 * Math.SQRT2), 9);
    // four runs of it, one of the best before
    expect(steps[3]?.z).toBeCloseTo(0.068 / (0.01 * Math.sqrt(1.25)), 9);
    expect(steps[1]?.byDrawsAlone).toBeCloseTo(0.01 * expectedBest(100), 9);
  });

  it('are not judged where the noise is not known', () => {
    expect(keptSteps(search, null).map(({ verdict, z }) => [verdict, z])).toEqual(
      Array.from({ length: 4 }, () => ['unknown', null]),
    );
  });

  it('the whole gain stands beside the best of as many equal draws', () => {
    const figures = selectionFigures(search, 0.01);
    expect(figures?.draws).toBe(103);
    expect(figures?.gain).toBeCloseTo(0.2, 9);
    expect(figures?.expected).toBeCloseTo(0.01 * expectedBest(103), 9);
    expect(figures?.bound).toBeGreaterThan(figures?.expected ?? Infinity);
    expect(selectionFigures(trajectoryOf([]), 0.01)).toBeNull();
  });

  it('first runs are held against later ones', () => {
    const again = trajectoryOf([
      { ending: 'keep', score: 0.95, runs: [0.9, 1, 1] },
      { ending: 'keep', score: 0.9, runs: [0.9] },
      { ending: 'discard', score: 1, runs: [0.5, 1.5] },
    ]);
    expect(remeasured(again)).toMatchObject({ trials: 1, steps: [{ id: '001', first: 0.9, others: 1 }] });
    expect(remeasured(again)?.shrinkage).toBeCloseTo(0.1, 9);
    expect(remeasured(search)?.trials).toBe(1);
    expect(remeasured(trajectoryOf([]))).toBeNull();
  });
});
