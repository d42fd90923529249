import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clusterFigures } from '../../../src/analysis/proposals/clusters.js';
import { clusterInOrder } from '../../../src/domain/text/clusters.js';
import { effectiveCount } from '../../../src/analysis/proposals/entropy.js';
import { calibration, expectedGains } from '../../../src/analysis/proposals/expected-deltas.js';
import { nearDuplicates } from '../../../src/domain/text/near-duplicates.js';
import { termsOf, textVectors, type TextVector } from '../../../src/domain/text/text-vectors.js';
import { proposalFigures } from '../../../src/analysis/report/run-facts.js';
import { trajectoryOf } from '../../builders/trajectory.js';

const word = fc.constantFrom('lower', 'raise', 'rate', 'width', 'decay', 'warmup', '0.1', 'layers', 'the');
const texts = fc.array(
  fc.array(word, { maxLength: 8 }).map((words) => words.join(' ')),
  { maxLength: 25 },
);

const cosine = (a: TextVector, b: TextVector): number =>
  a.terms.reduce((sum, term, at) => {
    const other = b.terms.indexOf(term);
    return other === -1 ? sum : sum + (a.weights[at] ?? 0) * (b.weights[other] ?? 0);
  }, 0);

describe('vectors of texts', () => {
  it('are of words and numbers in lower case', () => {
    expect(termsOf('Lower muon_wd 0.095→0.115!')).toEqual(['lower', 'muon_wd', '0', '095', '0', '115']);
  });

  it('have length 1 where a text has words', () => {
    fc.assert(
      fc.property(texts, (some) => {
        textVectors(some).vectors.forEach(({ weights }, at) => {
          const square = weights.reduce((sum, weight) => sum + weight * weight, 0);
          expect(square).toBeCloseTo(termsOf(some[at] ?? '').length === 0 ? 0 : 1, 9);
        });
      }),
    );
  });
});

describe('clusters in order', () => {
  const clusters = (some: readonly string[]): number[] => clusterInOrder(textVectors(some));

  it('join what is said again, and set apart what shares nothing', () => {
    expect(clusters(['lower the rate', 'wider layers', 'lower the rate', 'more decay'])).toEqual([
      0, 1, 0, 2,
    ]);
    expect(clusters(['same words', 'same words'])).toEqual([0, 0]);
    expect(clusters(['', ''])).toEqual([0, 1]);
  });

  it('are what a plain comparison with the mean of each cluster gives', () => {
    fc.assert(
      fc.property(texts, (some) => {
        const vocabulary = textVectors(some);
        const members: TextVector[][] = [];
        const plain = vocabulary.vectors.map((vector) => {
          const similarities = members.map(
            (own) => own.reduce((sum, each) => sum + cosine(vector, each), 0) / own.length,
          );
          const best = similarities.reduce((top, value) => Math.max(top, value), 0);
          // a tie or a similarity at the bound is decided by rounding
          fc.pre(Math.abs(best - 0.3) > 1e-9);
          fc.pre(similarities.filter((value) => best >= 0.3 && best - value < 1e-9).length <= 1);
          const at = best >= 0.3 ? similarities.indexOf(best) : members.push([]) - 1;
          members[at]?.push(vector);
          return at;
        });
        expect(clusterInOrder(vocabulary)).toEqual(plain);
      }),
    );
  });

  it('have an effective number between 1 and their number', () => {
    expect(effectiveCount([2, 2, 2])).toBeCloseTo(3);
    expect(effectiveCount([])).toBe(0);
    fc.assert(
      fc.property(texts, (some) => {
        fc.pre(some.length > 0);
        const figures = clusterFigures(clusterInOrder(textVectors(some)));
        expect(figures.effective).toBeGreaterThan(1 - 1e-9);
        expect(figures.effective).toBeLessThan(figures.clusters + 1e-9);
        expect(figures.largest).toBeLessThanOrEqual(some.length);
      }),
    );
  });

  it('the largest is told with the text that began it', () => {
    expect(clusterFigures([0, 1, 1, 2])).toMatchObject({ clusters: 3, largest: 2, largestFirst: 1 });
    expect(clusterFigures([])).toMatchObject({ clusters: 0, effective: 0, largest: 0, largestFirst: null });
  });
});

describe('near duplicates', () => {
  it('are exactly the texts with a cosine of 0.9 or more to an earlier one', () => {
    fc.assert(
      fc.property(texts, (some) => {
        const vocabulary = textVectors(some);
        const { vectors } = vocabulary;
        const found = nearDuplicates(vocabulary).map((earlier) => earlier !== null);
        vectors.forEach((vector, at) => {
          const nearest = vectors.slice(0, at).reduce((top, one) => Math.max(top, cosine(vector, one)), 0);
          fc.pre(Math.abs(nearest - 0.9) > 1e-9);
          expect(found[at]).toBe(nearest >= 0.9);
        });
      }),
    );
  });

  it('have a rate among those that could repeat something', () => {
    const figures = proposalFigures(['lower the rate', 'wider layers', 'lower the rate']);
    expect(figures).toMatchObject({ nearDuplicates: 1, nearDuplicateRate: 0.5 });
    expect(proposalFigures([]).nearDuplicateRate).toBe(0);
  });
});

describe('expected against measured', () => {
  const search = trajectoryOf([
    { score: 0.9, expectedDelta: -0.1, ending: 'keep' },
    { score: 0.95, expectedDelta: -0.2, parent: 1 },
    { score: null, expectedDelta: -0.2 },
    { score: 0.7, expectedDelta: null },
    { score: 0.8, expectedDelta: -0.3, parent: null },
  ]);

  it('pairs the gains of trials over their parents, better being positive', () => {
    expect(
      expectedGains(search).map(({ number, expected, measured }) => [
        number,
        expected,
        Number(measured.toFixed(6)),
      ]),
    ).toEqual([
      [1, 0.1, 0.1],
      [2, 0.2, -0.05],
    ]);
  });

  it('is a curve of each role by what was expected', () => {
    const gains = Array.from({ length: 10 }, (_, at) => ({
      number: at,
      role: at < 5 ? 'opt' : 'arch',
      expected: at + 1,
      measured: at < 5 ? at + 1 : -1,
    }));
    const { all, roles } = calibration(gains);
    expect(all).toMatchObject({ trials: 10, sameSign: 0.5, expected: 5.5 });
    expect(all?.curve.map(({ trials, expected }) => [trials, expected])).toEqual([
      [2, 1.5],
      [2, 3.5],
      [2, 5.5],
      [2, 7.5],
      [2, 9.5],
    ]);
    expect(roles.map(({ role, measured, sameSign }) => [role, measured, sameSign])).toEqual([
      ['arch', -1, 0],
      ['opt', 3, 1],
    ]);
    expect(calibration([])).toEqual({ all: null, roles: [] });
  });
});
