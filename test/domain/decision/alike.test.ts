import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ignoresSeed, withoutNoise, type SeededRun } from '../../../src/domain/decision/alike.js';

/** Runs that each left their own artifact, or the named ones. */
const runs = (scores: readonly number[], artifacts: readonly (string | null)[] = []): SeededRun[] =>
  scores.map((score, i) => ({ score, artifact: artifacts[i] ?? `of ${score} in run ${i}` }));
const apart = (scores: readonly number[]): SeededRun[] => scores.map((score) => ({ score, artifact: null }));

/** The start of a real campaign, and the fresh runs of its quiet frontier. */
const START = runs([2.305, 2.371, 2.262, 2.344, 2.243]);
const QUIET = [0.93345, 0.93207, 0.93233, 0.93044];
/** Accuracies on 360 items. */
const steps = (items: readonly number[]): number[] => items.map((right) => right / 360);
const ACCURATE = runs(steps([342, 346, 345, 340, 343]));

describe('runs under different seeds', () => {
  it.each<[string, SeededRun[], SeededRun[], boolean]>([
    ['equal scores', runs([0.93123, 0.93123]), START, true],
    ['equal but for a sum in another order', runs([0.93123, 0.93123 + 2e-16]), START, true],
    ['hardly different scores', runs([0.93123, 0.931231]), START, false],
    ['the fresh runs of a quiet recipe', runs(QUIET), START, false],
    ['one run', runs([0.93123]), START, false],
    ['none', [], START, false],
    ['equal scores of three, of four', runs([0.9312, 0.9312, 0.9312, 0.93121]), START, false],
    ['equal artifacts', runs([0.9312, 0.9312], ['a', 'a']), START, true],
    ['equal artifacts that a noisy program scored', runs([0.93121, 0.93124], ['a', 'a']), START, true],
    ['artifacts of which one differs', runs([0.93121, 0.93124, 0.93127], ['a', 'a', 'b']), START, false],
    ['no artifacts to go by', apart([0.93121, 0.93124]), START, false],
    ['accuracies of equally many right', runs(steps([343, 343])), ACCURATE, false],
    ['accuracies above any of the start', runs(steps([351, 351, 351])), ACCURATE, false],
    ['accuracies of one artifact', runs(steps([343, 343]), ['a', 'a']), ACCURATE, true],
    ['whole numbers', runs([12_004, 12_004]), runs([12_310, 12_288, 12_301]), false],
    ['a score of zero', runs([0, 0]), runs([0.31, Math.SQRT1_2, Math.LN2]), true],
    ['losses so small that nine digits of 1 are lost in them', runs([3e-12, 4e-12]), START, false],
  ])('%s', (_, of, start, alike) => {
    expect(ignoresSeed(of, start)).toBe(alike);
  });

  it.each<[string, SeededRun[], SeededRun[]]>([
    ['scores that the start has equal as well', runs([1.25, 1.25]), runs([2.5, 2.5])],
    ['artifacts, as the start has them', runs([1.2501, 1.2503], ['a', 'a']), runs([2.51, 2.54], ['b', 'b'])],
    ['anything beside a single run of the start', runs([1.25, 1.25], ['a', 'a']), runs([2.5])],
  ])('are no sign where they are equal in %s', (_, of, start) => {
    expect(ignoresSeed(of, start)).toBe(false);
  });

  it('are equal without a start, as a start itself is', () => {
    expect(withoutNoise(runs([4, 4, 4]))).toBe(true);
    expect(withoutNoise(runs([4, 4, 4 + 1e-6]))).toBe(false);
    expect(withoutNoise(runs([3.14159, 3.14158], ['a', 'a']))).toBe(false);
    expect(withoutNoise(runs([2e-13, 3e-13]))).toBe(false);
    expect(withoutNoise(runs([4]))).toBe(false);
  });
});

describe('the runs of an honest recipe', () => {
  const unit = fc.double({ min: 0.001, max: 0.999, noNaN: true });
  const normal = fc
    .tuple(unit, unit)
    .map(([a, b]) => Math.sqrt(-2 * Math.log(a)) * Math.cos(2 * Math.PI * b));
  const draws = fc.array(normal, { minLength: 13, maxLength: 13 });

  it('are never equal up to 50 times quieter than the start, whatever the unit and the zero of the metric', () => {
    fc.assert(
      fc.property(
        draws,
        fc.double({ min: 1, max: 50, noNaN: true }),
        fc.integer({ min: -9, max: 9 }),
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.integer({ min: 2, max: 8 }),
        (noise, quieter, exponent, zero, count) => {
          // draws that agree by chance are not the subject here
          const ordered = [...noise].sort((a, b) => a - b);
          fc.pre(ordered.every((one, i) => i === 0 || one - (ordered[i - 1] ?? 0) > 1e-3));
          const unitOf = 10 ** exponent;
          const start = runs(noise.slice(0, 5).map((one) => unitOf * (zero + one)));
          const honest = runs(noise.slice(5, 5 + count).map((one) => unitOf * (zero + one / quieter)));
          expect(ignoresSeed(honest, start)).toBe(false);
        },
      ),
    );
  });

  it('are equal where they are the same measurement again, whatever the unit', () => {
    fc.assert(
      fc.property(
        draws,
        fc.integer({ min: -9, max: 9 }),
        fc.integer({ min: 2, max: 8 }),
        (noise, exponent, count) => {
          const unitOf = 10 ** exponent;
          const start = noise.slice(0, 5).map((one) => unitOf * (3 + Math.sin(one * 1e6)));
          fc.pre(new Set(start).size === start.length);
          const again = Array.from({ length: count }, () => unitOf * (2 + (noise[5] ?? 0)));
          expect(ignoresSeed(runs(again), runs(start))).toBe(true);
        },
      ),
    );
  });
});
