import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GENERIC_WEIGHTS, learnedWeights } from '../../../../src/domain/decision/belief/effects.js';
import {
  judge,
  priceOfRun,
  worthOfReplicate,
  type Scores,
  type Candidate,
  type Verdict,
} from '../../../../src/domain/decision/v1/posterior.js';

const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
/** In standard deviations of a run. */
const situation = fc.record({
  sd: within(1e-5, 10),
  parent: fc.record({ mean: within(-20, 20), variance: within(0.01, 1) }),
  off: within(-8, 8),
  count: fc.integer({ min: 1, max: 4 }),
});
type Situation = typeof situation extends fc.Arbitrary<infer T> ? T : never;

function caseOf({ sd, parent, off, count }: Situation, shift = 0): { standing: Candidate; scores: Scores } {
  return {
    standing: {
      sd,
      weights: GENERIC_WEIGHTS,
      parent: { mean: sd * parent.mean + shift, variance: sd ** 2 * parent.variance },
      frontier: null,
    },
    scores: { mean: sd * (parent.mean + off) + shift, count },
  };
}
function judged(at: Situation, shift = 0): Verdict {
  const { standing, scores } = caseOf(at, shift);
  return judge(standing, scores);
}
const unit = { sd: 1, parent: { mean: 0, variance: 0.1 } };

describe('what is believed of an edit after its scores', () => {
  it('is a larger gain the lower the scores are', () => {
    fc.assert(
      fc.property(situation, within(0.001, 3), (at, lower) => {
        const better = judged({ ...at, off: at.off - lower }).gain;
        expect(better).toBeGreaterThanOrEqual(judged(at).gain - 1e-12 * at.sd);
      }),
    );
  });

  it('does not depend on where the metric has its zero, nor on its unit', () => {
    fc.assert(
      fc.property(situation, within(-5, 5), (at, shift) => {
        const gain = judged(at).gain / at.sd;
        expect(judged(at, shift * at.sd).gain / at.sd).toBeCloseTo(gain, 6);
        expect(judged({ ...at, sd: 1 }).gain).toBeCloseTo(gain, 6);
      }),
    );
  });

  it('believes in less than a single lucky run shows', () => {
    fc.assert(
      fc.property(situation, within(-3, -0.01), (at, off) => {
        expect(judged({ ...at, off, count: 1 }).gain).toBeLessThan(-off * at.sd);
      }),
    );
  });

  it('follows the measurement where an edit changes a score by far more than noise, either way', () => {
    fc.assert(
      fc.property(situation, within(300, 1e6), fc.boolean(), (at, size, worse) => {
        const off = worse ? size : -size;
        const { gain, adopt, child } = judged({ ...at, off });
        expect(gain / at.sd).toBeCloseTo(-off, -1);
        expect(adopt).toBe(!worse);
        expect(child.mean / at.sd).toBeCloseTo(at.parent.mean + off, -1);
      }),
    );
  });
});

describe('what a trial teaches of two recipes', () => {
  it('differs between child and parent by exactly the expected effect of the edit', () => {
    fc.assert(
      fc.property(situation, (at) => {
        const { child, parent, gain } = judged(at);
        expect((child.mean - parent.mean) / at.sd).toBeCloseTo(-gain / at.sd, 6);
      }),
    );
  });

  it('never makes the parent less certain when the edit surely does nothing', () => {
    fc.assert(
      fc.property(situation, (at) => {
        const { standing, scores } = caseOf(at);
        const nothing = GENERIC_WEIGHTS.map((_, i) => (i === 0 ? 1 : 0));
        const { child, parent } = judge({ ...standing, weights: nothing }, scores);
        expect(parent.variance).toBeLessThan(standing.parent.variance);
        expect(child.mean / at.sd).toBeCloseTo(parent.mean / at.sd, 9);
        expect(child.variance / parent.variance).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('a trial on an older parent than the frontier', () => {
  it('is held against the frontier by its own true score', () => {
    fc.assert(
      fc.property(situation, within(-5, 5), (at, ahead) => {
        const { standing, scores } = caseOf(at);
        const frontier = { mean: standing.parent.mean - ahead * at.sd, variance: at.sd ** 2 / 4 };
        const alone = judge(standing, scores);
        const against = judge({ ...standing, frontier }, scores);
        expect(against.child).toEqual(alone.child);
        expect(against.gain).toBe(frontier.mean - alone.child.mean);
      }),
    );
  });
});

describe('one more replicate', () => {
  it('is never worth less than nothing, but for the error of the quadrature', () => {
    fc.assert(
      fc.property(situation, (at) => {
        const { standing, scores } = caseOf(at);
        expect(worthOfReplicate(standing, scores) / at.sd).toBeGreaterThan(-0.05);
      }),
    );
  });

  it('is worth next to nothing once harm is plain, and something while the decision is close', () => {
    const worth = (off: number): number => {
      const { standing, scores } = caseOf({ ...unit, off, count: 1 });
      return worthOfReplicate(standing, scores);
    };
    expect(worth(6)).toBeLessThan(1e-3);
    const most = Math.max(...Array.from({ length: 40 }, (_, i) => worth(-i / 10)));
    expect(most).toBeGreaterThan(priceOfRun(1, { believedGain: 0, runs: 1 }));
  });

  it('gets dearer the more a run of the campaign has brought', () => {
    const price = (believedGain: number): number => priceOfRun(1, { believedGain, runs: 100 });
    expect(price(0)).toBe(0.02);
    expect(price(50)).toBe(1);
  });
});

describe('the weights that a campaign learns', () => {
  it('are a distribution, and the generic ones while nothing was tried', () => {
    learnedWeights([]).forEach((weight, i) => expect(weight).toBeCloseTo(GENERIC_WEIGHTS[i] ?? 0, 12));
    fc.assert(
      fc.property(fc.array(situation, { minLength: 1, maxLength: 30 }), (all) => {
        const weights = learnedWeights(all.map((at) => judged(at).likelihoods));
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 9);
        expect(Math.min(...weights)).toBeGreaterThan(0);
      }),
    );
  });

  it('move towards gains in a campaign in which edits help', () => {
    const { likelihoods } = judged({ ...unit, off: -4, count: 4 });
    const gains = (weights: readonly number[]): number =>
      weights.slice(1, 6).reduce((sum, weight) => sum + weight, 0);
    const learned = learnedWeights(Array.from({ length: 40 }, () => likelihoods));
    expect(gains(learned)).toBeGreaterThan(5 * gains(GENERIC_WEIGHTS));
  });
});
