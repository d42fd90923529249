import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PLAIN, searched } from '../builders/random-search.js';
import { tries } from './runs.js';

/** Each try decides a whole search. */
const RUNS = tries(30, 400);
const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

it('siblings never replace the frontier with a mean no better in no more runs', () => {
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
    RUNS,
  );
});

it('a child of the frontier is never adopted where it measures no better than what is believed of the frontier', () => {
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
    RUNS,
  );
});

it('a child of the frontier is adopted the sooner the better it scores', () => {
  fc.assert(
    fc.property(seed, within(-60, 10), within(0, 30), (start, off, better) => {
      const search = searched(start, 8);
      const { before, sd } = search.would([0]).result;
      const at = (by: number): boolean => search.would([(before?.mean ?? 0) + (sd ?? 1) * by]).result.adopt;
      if (at(off)) expect(at(off - better)).toBe(true);
    }),
    RUNS,
  );
});

it('what is believed does not depend on where the metric has its zero, nor on its unit', () => {
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
    RUNS,
  );
});
