import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retained } from '../../../../src/domain/decision/belief/beliefs.js';
import { GENERIC_WEIGHTS, learnedWeights } from '../../../../src/domain/decision/belief/effects.js';
import { priceOfRun } from '../../../../src/domain/decision/belief/posterior.js';
import { sdOfLevel, typicalSd } from '../../../../src/domain/decision/belief/spread.js';
import { Dice } from '../../../builders/dice.js';
import { PLAIN, searched } from '../../../builders/random-search.js';
import { quietSearch, Search } from '../../../builders/decision.js';

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

describe('siblings', () => {
  it('is true of the pair of a real campaign: 0.93331 does not replace 0.93195, nor does 0.943', () => {
    const search = new Search([2.36, 2.25, 2.305, 2.28, 2.33], 'posterior', { noiseValue: 0.1 });
    for (const scores of [[1.0432, 1.045], [0.9914], [0.97], [0.936]]) search.trial(scores);
    const parent = search.frontier.trial;
    expect(search.trial([0.93195], { open: [parent] })).toBe(true);
    expect(search.would([0.93331], { parent }).result.adopt).toBe(false);
    expect(search.would([0.943], { parent }).result.adopt).toBe(false);
    expect(search.would([0.9], { parent }).result.adopt).toBe(true);
  });

  it('move every recipe on the same parent: a worse sibling lowers what is believed of the frontier', () => {
    const search = quietSearch();
    expect(search.trial([-2, -1.9], { open: [0] })).toBe(true);
    const before = search.believed().mean;
    search.trial([1.5], { parent: 0, open: [0] });
    expect(search.believed().mean).toBeGreaterThan(before);
  });

  it('come to much the same in either order, where the same one is frontier', () => {
    let compared = 0;
    const off: number[] = [];
    for (let start = 1; start <= 150; start += 1) {
      const dice = new Dice(start);
      const [a, b] = [0, 1].map(() => -3 * dice.uniform() + dice.normal());
      const [one, other] = [
        [a, b],
        [b, a],
      ].map((order, way) => {
        const search = quietSearch();
        const adopted = order.map((score) => search.trial([score ?? 0], { parent: 0, open: [0] }));
        const best = adopted.lastIndexOf(true);
        const which = best === -1 ? null : way === 0 ? best : 1 - best;
        return { search, which };
      });
      if (one === undefined || other === undefined || one.which === null || one.which !== other.which)
        continue;
      compared += 1;
      off.push(Math.abs(one.search.believed().mean - other.search.believed().mean));
    }
    expect(compared).toBeGreaterThan(30);
    expect(Math.max(...off)).toBeLessThan(0.5);
  });
});

describe('what is believed', () => {
  it('stays a belief over thousands of decisions, with heavy tails and jumps of the noise', () => {
    const heavy = (dice: Dice): number => dice.normal() / Math.sqrt(dice.exponential(1));
    for (const start of [1, 2, 3, 4]) {
      const { knowledge } = searched(start, 600, { ...PLAIN, jumps: 0.2, noise: heavy });
      const { beliefs } = knowledge;
      if (beliefs === null) throw new Error('nothing is believed');
      expect(beliefs.levels.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 9);
      for (const { level, covariances } of beliefs.levels)
        expect(smallestPivot(covariances) / sdOfLevel(beliefs.unit, level) ** 2).toBeGreaterThan(-1e-9);
    }
  });

  it('of a recipe does not change when another is dropped', () => {
    fc.assert(
      fc.property(seed, (start) => {
        const { beliefs } = searched(start, 15).knowledge;
        if (beliefs === null) throw new Error('nothing is believed');
        const [first, ...rest] = beliefs.trials;
        const less = retained(beliefs, (trial) => trial !== first);
        expect(less.trials).toEqual(rest);
        for (const [k, joint] of less.levels.entries()) {
          expect(joint.means).toEqual(beliefs.levels[k]?.means.slice(1));
          expect(joint.covariances).toEqual(
            beliefs.levels[k]?.covariances.slice(1).map((row) => row.slice(1)),
          );
        }
      }),
      { numRuns: 50 },
    );
  });

  it('learns the noise of a quieter family from a few of its children', () => {
    const ratios = Array.from({ length: 100 }, (_, i) => {
      const dice = new Dice(i + 1);
      const search = new Search(Array.from({ length: 8 }, () => dice.normal()));
      expect(search.trial([-24 + dice.normal() / 47])).toBe(true);
      for (let child = 0; child < 3; child += 1) search.trial([-24 + dice.normal() / 47]);
      const { beliefs } = search.knowledge;
      return beliefs === null ? Infinity : 47 * typicalSd(beliefs);
    }).sort((a, b) => a - b);
    expect(ratios[50]).toBeLessThan(3);
    expect(ratios[50]).toBeGreaterThan(1 / 3);
  });
});

/** The smallest pivot of an elimination: negative where a matrix is no covariance. */
function smallestPivot(matrix: readonly (readonly number[])[]): number {
  const rest = matrix.map((row) => [...row]);
  let smallest = Infinity;
  for (const [k, row] of rest.entries()) {
    const pivot = row[k] ?? 0;
    smallest = Math.min(smallest, pivot);
    if (pivot <= 0) break;
    for (const below of rest.slice(k + 1)) {
      const share = (below[k] ?? 0) / pivot;
      row.forEach((value, j) => (below[j] = (below[j] ?? 0) - share * value));
    }
  }
  return smallest;
}

describe('the price of a run', () => {
  it('follows what runs have brought of late, in today’s noise', () => {
    const of = (gains: { run: number; gain: number }[], runs = 100): number => priceOfRun(1, gains, runs);
    expect(of([])).toBe(0.02);
    expect(of([{ run: 100, gain: 4 }])).toBeGreaterThan(0.1);
    expect(of([{ run: 100, gain: 400 }])).toBe(of([{ run: 100, gain: 6 }]));
    expect(of([{ run: 100, gain: 4 }], 800)).toBe(0.02);
    expect(of([{ run: 10, gain: 4 }])).toBeLessThan(of([{ run: 90, gain: 4 }]));
  });
});

describe('the weights that a campaign learns', () => {
  it('are a distribution, and the generic ones while nothing was tried', () => {
    learnedWeights([]).forEach((weight, i) => expect(weight).toBeCloseTo(GENERIC_WEIGHTS[i] ?? 0, 12));
    fc.assert(
      fc.property(seed, (start) => {
        const rows = searched(start, 20).decisions.map(({ result }) => result.likelihoods);
        const weights = learnedWeights(rows);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...weights)).toBeGreaterThan(0);
      }),
      { numRuns: 20 },
    );
  });

  it('move towards gains in a campaign in which edits help', () => {
    const { likelihoods } = quietSearch().would([-4, -4.1, -3.9, -4]).result;
    const gains = (weights: readonly number[]): number =>
      weights.slice(1, 6).reduce((sum, weight) => sum + weight, 0);
    const learned = learnedWeights(Array.from({ length: 40 }, () => likelihoods));
    expect(gains(learned)).toBeGreaterThan(5 * gains(GENERIC_WEIGHTS));
  });
});
