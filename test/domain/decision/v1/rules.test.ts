import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GENERIC_WEIGHTS } from '../../../../src/domain/decision/belief/effects.js';
import { meanOf } from '../../../../src/domain/decision/noise.js';
import { RULES, type GuardValue } from '../../../../src/domain/decision/records/record.js';
import type { InputsV1 as DecisionInputs } from '../../../../src/domain/decision/v1/record.js';
import {
  decideByV1 as decideBy,
  wantsAnotherRunV1 as wantsAnotherRun,
} from '../../../../src/domain/decision/v1/rules.js';

const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

/** A candidate against a frontier at 0 with a noise of 1, which is its parent. */
function against(scores: number[], more: Partial<DecisionInputs> = {}): DecisionInputs {
  return {
    direction: 'minimize',
    metric: 'loss',
    scores,
    replicates: [],
    score: meanOf(scores),
    eligible: true,
    shared: null,
    guards: [],
    frontier: { trial: 0, version: 1, sequence: 1, score: 0, runs: 8, eligible: true },
    knowledge: {
      noise: { squares: 100, degrees: 100 },
      weights: [...GENERIC_WEIGHTS],
      runs: 8,
      startScore: 0,
    },
    parent: { trial: 0, mean: 0, variance: 1 / 8 },
    frontierNode: null,
    ...more,
  };
}
const mirrored = (inputs: DecisionInputs): DecisionInputs => ({
  ...inputs,
  direction: 'maximize',
  scores: inputs.scores.map((one) => -one),
  score: -inputs.score,
});
const guard = (value: number | null, start: number | null = 1): GuardValue => ({
  metric: 'seconds',
  direction: 'minimize',
  margin: 0.5,
  start,
  value,
});
const runs = fc.array(within(-10, 10), { minLength: 1, maxLength: 4 });
const rule = fc.constantFrom(...RULES);

describe('every rule', () => {
  it('decides alike for a metric that is minimised and for its mirror image', () => {
    fc.assert(
      fc.property(rule, runs, (by, scores) => {
        const inputs = against(scores);
        const [down, up] = [decideBy(by, inputs), decideBy(by, mirrored(inputs))];
        expect(up.adopt).toBe(down.adopt);
        expect(up.gain ?? 0).toBeCloseTo(down.gain ?? 0, 9);
        expect(wantsAnotherRun(by, mirrored(inputs), 5)).toBe(wantsAnotherRun(by, inputs, 5));
      }),
    );
  });

  it('adopts nothing that a guard forbids, and nothing because a guard is pleased', () => {
    fc.assert(
      fc.property(rule, runs, within(-3, 3), (by, scores, value) => {
        const alone = decideBy(by, against(scores));
        const guarded = decideBy(by, against(scores, { guards: [guard(value)] }));
        expect(guarded.adopt).toBe(alone.adopt && value <= 1.5);
        expect(guarded.veto === null).toBe(value <= 1.5);
      }),
    );
    for (const missing of [guard(null), guard(1, null)])
      expect(decideBy('greedy', against([-9], { guards: [missing] })).adopt).toBe(false);
  });

  it('prefers what is within the gates to a start that is not', () => {
    const frontier = { trial: 0, version: 1, sequence: 1, score: 0, runs: 8, eligible: false };
    for (const by of RULES) {
      expect(decideBy(by, against([50], { frontier })).adopt).toBe(true);
      expect(decideBy(by, against([-50], { frontier, eligible: false })).adopt).toBe(false);
    }
  });

  it('takes the start as the first frontier after as many runs as its calibration has', () => {
    const start = { frontier: null, knowledge: null, parent: null };
    for (const by of RULES) {
      expect(wantsAnotherRun(by, against([1, 2], start), 3)).toBe(true);
      expect(wantsAnotherRun(by, against([1, 2, 3], start), 3)).toBe(false);
      expect(decideBy(by, against([1, 2, 3], start))).toMatchObject({
        adopt: true,
        delta: null,
        noise: { squares: 2, degrees: 2 },
        standing: { score: 2, runs: 3 },
      });
    }
  });

  it('gives the same result for the same inputs, also when they have been stored', () => {
    fc.assert(
      fc.property(rule, runs, (by, scores) => {
        // JSON has no −0
        const inputs = against(scores.map((one) => one + 0));
        const stored: unknown = JSON.parse(JSON.stringify(inputs));
        expect(stored).toEqual(inputs);
        expect(decideBy(by, structuredClone(inputs))).toEqual(decideBy(by, inputs));
      }),
    );
  });
});

describe('greedy', () => {
  it('adopts only what is strictly better', () => {
    fc.assert(
      fc.property(runs, (scores) => {
        expect(decideBy('greedy', against(scores)).adopt).toBe(meanOf(scores) < 0);
      }),
    );
    expect(decideBy('greedy', against([0])).adopt).toBe(false);
  });
});

describe('threshold', () => {
  it('asks for two fresh runs of what passes its screen, and decides by these alone', () => {
    expect(wantsAnotherRun('threshold', against([-1]), 5)).toBe(false);
    expect(wantsAnotherRun('threshold', against([-2]), 5)).toBe(true);
    expect(wantsAnotherRun('threshold', against([-2, 5]), 5)).toBe(true);
    expect(wantsAnotherRun('threshold', against([-2, 5, 5]), 5)).toBe(false);
    expect(decideBy('threshold', against([-9])).adopt).toBe(false);
    expect(decideBy('threshold', against([-9, 0.1, -0.1])).adopt).toBe(false);
    const passed = decideBy('threshold', against([-9, -1, -2]));
    expect(passed).toMatchObject({ adopt: true, standing: { score: -1.5, runs: 2 } });
  });
});

describe('posterior', () => {
  it('asks for no more than four runs, and for none of what is plainly worse', () => {
    fc.assert(
      fc.property(fc.array(within(-10, 10), { minLength: 4, maxLength: 4 }), (scores) => {
        expect(wantsAnotherRun('posterior', against(scores), 5)).toBe(false);
      }),
    );
    expect(wantsAnotherRun('posterior', against([6]), 5)).toBe(false);
    const asked = Array.from({ length: 50 }, (_, i) => wantsAnotherRun('posterior', against([-i / 10]), 5));
    expect(asked).toContain(true);
    expect(asked[0]).toBe(false);
  });

  it('knows what an edit did exactly where both were trained by the same run', () => {
    const inputs = against([-0.2], { shared: 0 });
    const { adopt, gain, nodes, likelihoods } = decideBy('posterior', inputs);
    expect([adopt, likelihoods]).toEqual([true, []]);
    expect(gain).toBeCloseTo(0.2, 9);
    expect(nodes).toEqual([{ of: 'own', mean: -0.2, variance: 1 / 8 }]);
    expect(wantsAnotherRun('posterior', inputs, 5)).toBe(false);
  });
});
