import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { retained } from '../../../../src/domain/decision/belief/beliefs.js';
import { GENERIC_WEIGHTS, learnedWeights } from '../../../../src/domain/decision/belief/effects.js';
import { priceOfRun } from '../../../../src/domain/decision/belief/posterior.js';
import { sdOfLevel, typicalSd } from '../../../../src/domain/decision/belief/spread.js';
import { Dice } from '../dice.js';
import { quietSearch, Search } from '../build.js';

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

interface Terms {
  /** Edits that change the noise. */
  jumps: number;
  noise: (dice: Dice) => number;
  unit: number;
  zero: number;
}
const PLAIN: Terms = { jumps: 0.1, noise: (dice) => dice.normal(), unit: 1, zero: 0 };

/** A random search of so many trials in three lanes: parents are frontiers of now and of a little before. */
function searched(start: number, trials: number, { jumps, noise, unit, zero }: Terms = PLAIN): Search {
  const dice = new Dice(start);
  const measure = (score: number, sd: number): number => zero + unit * (score + sd * noise(dice));
  const search = new Search(Array.from({ length: 5 }, () => measure(0, 1)));
  const truth = new Map([[0, { score: 0, sd: 1 }]]);
  const recent = [0];
  for (let trial = 1; trial <= trials; trial += 1) {
    const parent = recent[Math.floor(dice.uniform() * recent.length)] ?? 0;
    const from = truth.get(parent) ?? { score: 0, sd: 1 };
    const u = dice.uniform();
    const effect = u < 0.15 ? -dice.exponential(2) : u < 0.45 ? dice.exponential(3) : 0;
    const sd = dice.uniform() < jumps ? from.sd * 2 ** (4 * dice.uniform() - 3) : from.sd;
    const score = from.score + from.sd * effect;
    const scores = Array.from({ length: 1 + Math.floor(dice.uniform() * 3) }, () => measure(score, sd));
    truth.set(trial, { score, sd });
    const open = [...recent].sort((a, b) => a - b);
    if (search.trial(scores, { parent, open })) recent.push(trial);
    if (recent.length > 3) recent.shift();
  }
  return search;
}

describe('siblings', () => {
  it('never replace the frontier with a mean no better in no more runs', () => {
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 1, max: 4 }),
        within(0, 8),
        within(0, 3),
        (start, count, worse, apart) => {
          const search = searched(start, 12);
          const { frontier, knowledge } = search;
          const others = (knowledge.beliefs?.trials ?? []).filter((trial) => trial !== frontier.trial);
          const runs = Math.min(count, frontier.runs);
          const sd = search.would([0]).result.sd ?? 1;
          const scores = Array.from(
            { length: runs },
            (_, i) => frontier.score + sd * (worse + apart * (i - (runs - 1) / 2)) + 1e-9 * sd,
          );
          for (const parent of [...others, 7777])
            expect(search.would(scores, { parent }).result.adopt).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

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

describe('a child of the frontier', () => {
  it('is never adopted where it measures no better than what is believed of the frontier', () => {
    fc.assert(
      fc.property(
        seed,
        fc.integer({ min: 1, max: 4 }),
        within(0, 8),
        within(0, 3),
        (start, count, worse, apart) => {
          const search = searched(start, 12);
          const { before, sd } = search.would([0]).result;
          if (before === null || sd === null) throw new Error('nothing is believed');
          const scores = Array.from(
            { length: count },
            (_, i) => before.mean + sd * (worse + apart * (i - (count - 1) / 2)) + 1e-9 * sd,
          );
          expect(search.would(scores).result.adopt).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is adopted the sooner the better it scores', () => {
    fc.assert(
      fc.property(seed, within(-60, 10), within(0, 30), (start, off, better) => {
        const search = searched(start, 8);
        const { before, sd } = search.would([0]).result;
        const at = (by: number): boolean => search.would([(before?.mean ?? 0) + (sd ?? 1) * by]).result.adopt;
        if (at(off)) expect(at(off - better)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what is believed', () => {
  it('does not depend on where the metric has its zero, nor on its unit', () => {
    fc.assert(
      fc.property(seed, within(-10, 10), fc.constantFrom(1e-4, 0.3, 7, 1e6), (start, zero, unit) => {
        const [plain, other] = [
          searched(start, 20),
          searched(start, 20, { ...PLAIN, unit, zero: zero * unit }),
        ];
        expect(other.decisions.map(({ result }) => result.adopt)).toEqual(
          plain.decisions.map(({ result }) => result.adopt),
        );
        expect((other.believed().mean - zero * unit) / unit).toBeCloseTo(plain.believed().mean, 6);
        expect(other.believed().sd / unit).toBeCloseTo(plain.believed().sd, 6);
      }),
      { numRuns: 40 },
    );
  });

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
