import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decisionInputsSchema,
  decisionResultSchema,
  knowledgeSchema,
  RULES,
  type DecisionInputs,
} from '../../../src/domain/decision/records/record.js';
import { decideBy, wantsAnotherRun } from '../../../src/domain/decision/rules.js';
import type { GuardValue } from '../../../src/domain/decision/records/shared-record.js';
import { inputsOf, quietSearch, Search } from '../../builders/decision.js';

const within = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });
const runs = fc.array(within(-10, 10), { minLength: 1, maxLength: 4 });
const rule = fc.constantFrom(...RULES);

/** A candidate against a frontier at 0 with a noise of about 1, which is its parent. */
const against = (scores: readonly number[], more: Partial<DecisionInputs> = {}): DecisionInputs =>
  quietSearch().inputs(scores, more);
const guard = (value: number | null, start: number | null = 1): GuardValue => ({
  metric: 'seconds',
  direction: 'minimize',
  margin: 0.5,
  start,
  value,
});

describe('every rule', () => {
  it('decides alike for a metric that is minimised and for its mirror image', () => {
    const start = [1, 2, 3, 4];
    fc.assert(
      fc.property(rule, runs, (by, scores) => {
        const down = new Search(start, by);
        const up = new Search(
          start.map((one) => -one),
          by,
          { direction: 'maximize' },
        );
        const mirrored = scores.map((one) => -one);
        const [low, high] = [down.would(scores).result, up.would(mirrored).result];
        expect(high.adopt).toBe(low.adopt);
        expect(high.gain ?? 0).toBeCloseTo(low.gain ?? 0, 9);
        expect(high.own?.mean ?? 0).toBeCloseTo(-(low.own?.mean ?? 0), 9);
        expect(wantsAnotherRun(by, up.inputs(mirrored), 5)).toBe(wantsAnotherRun(by, down.inputs(scores), 5));
      }),
    );
  });

  it('adopts nothing that a guard forbids, and nothing because a guard is pleased', () => {
    fc.assert(
      fc.property(rule, runs, within(-3, 3), (by, scores, value) => {
        const alone = decideBy(by, 1, against(scores)).result;
        const guarded = decideBy(by, 1, against(scores, { guards: [guard(value)] })).result;
        expect(guarded.adopt).toBe(alone.adopt && value <= 1.5);
        expect(guarded.veto === null).toBe(value <= 1.5);
      }),
    );
    for (const missing of [guard(null), guard(1, null)])
      expect(decideBy('greedy', 1, against([-9], { guards: [missing] })).result.adopt).toBe(false);
  });

  it('adopts nothing that is barred, whatever it scores, and asks for no further run of it', () => {
    for (const by of RULES) {
      const inputs = against([-50], { seedOnly: true, deterministic: true });
      expect(decideBy(by, 1, inputs).result.adopt).toBe(false);
      expect(wantsAnotherRun(by, inputs, 5)).toBe(false);
    }
  });

  it('prefers what is within the gates to a start that is not', () => {
    for (const by of RULES) {
      const search = quietSearch();
      search.frontier = { ...search.frontier, eligible: false };
      expect(decideBy(by, 1, search.inputs([50])).result.adopt).toBe(true);
      expect(decideBy(by, 1, search.inputs([-50], { eligible: false })).result.adopt).toBe(false);
    }
  });

  it('takes the start as the first frontier after as many runs as its calibration has', () => {
    for (const by of RULES) {
      expect(wantsAnotherRun(by, inputsOf([1, 2]), 3)).toBe(true);
      expect(wantsAnotherRun(by, inputsOf([1, 2, 3]), 3)).toBe(false);
      const { result, knowledge } = decideBy(by, 0, inputsOf([1, 2, 3]));
      expect(result).toMatchObject({ adopt: true, delta: null, standing: { score: 2, runs: 3 } });
      expect(knowledge).toMatchObject({ family: { since: 0, runs: 3 } });
    }
  });

  it('gives the same bytes for the same inputs, also when they have been stored', () => {
    fc.assert(
      fc.property(rule, runs, runs, (by, first, scores) => {
        const search = new Search([1, 2, 3], by);
        // JSON has no −0
        search.trial(first.map((one) => one + 0));
        const inputs = search.inputs(scores.map((one) => one + 0));
        const stored: unknown = JSON.parse(JSON.stringify(inputs));
        expect(stored).toEqual(inputs);
        expect(JSON.stringify(decideBy(by, 2, structuredClone(inputs)))).toBe(
          JSON.stringify(decideBy(by, 2, inputs)),
        );
      }),
    );
  });

  it('runs a trial as often as a person asks, and no more than once where runs cannot differ', () => {
    for (const by of RULES) {
      expect(wantsAnotherRun(by, against([9], { askedRuns: 2 }), 5)).toBe(true);
      expect(wantsAnotherRun(by, against([9, 9.5], { askedRuns: 2 }), 5)).toBe(false);
      expect(wantsAnotherRun(by, against([-2], { deterministic: true }), 5)).toBe(false);
    }
  });
});

describe('without degrees of freedom', () => {
  it('says that the noise is not known, and judges by the measured score alone', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('posterior', 'threshold'),
        within(-10, 10),
        within(-10, 10),
        (by, start, own) => {
          const { result } = new Search([start], by).would([own]);
          expect(result).toMatchObject({ sd: null, spread: null, gain: null, before: null, own: null });
          expect(result.adopt).toBe(own < start);
          expect(wantsAnotherRun(by, new Search([start], by).inputs([own]), 1)).toBe(false);
        },
      ),
    );
  });

  it('is the same where calibration runs differ by rounding only, and where the task says that runs do not differ', () => {
    expect(new Search([0.93, 0.93 * (1 + 1e-12), 0.93]).knowledge.beliefs).toBeNull();
    expect(new Search([1, 2], 'posterior', { deterministic: true }).knowledge.beliefs).toBeNull();
  });
});

describe('a task that declares itself deterministic', () => {
  it('has one run of each recipe, which is better or is not', () => {
    fc.assert(
      fc.property(rule, within(-10, 10), (by, score) => {
        const search = new Search([0], by, { deterministic: true });
        expect(search.would([score]).result).toMatchObject({ adopt: score < 0, gain: null, sd: null });
        expect(wantsAnotherRun(by, search.inputs([score]), 5)).toBe(false);
      }),
    );
  });
});

describe('greedy', () => {
  it('adopts only what is strictly better', () => {
    fc.assert(
      fc.property(within(-10, 10), within(-10, 10), (start, own) => {
        expect(new Search([start], 'greedy').trial([own])).toBe(own < start);
      }),
    );
  });
});

describe('runs that a person has asked for', () => {
  it('are all there, whatever the first of them say, and stand for all of them', () => {
    for (const by of RULES) {
      for (const more of [{}, { alike: true }, { shared: 1 }]) {
        const search = new Search([2.3, 2.4, 2.2], by);
        const asked = (scores: number[]) => search.inputs(scores, { askedRuns: 3, ...more });
        expect(wantsAnotherRun(by, asked([2, 2]), 3)).toBe(true);
        expect(wantsAnotherRun(by, asked([2, 2, 2]), 3)).toBe(false);
      }
      const { standing } = new Search([2.3, 2.4, 2.2], by).would([2.2, 2.3, 2.4], { askedRuns: 3 }).result;
      expect(standing.runs).toBe(3);
      expect(standing.score).toBeCloseTo(2.3, 12);
    }
    expect(new Search([2.3, 2.4, 2.2], 'threshold').trial([1, 1.1], { askedRuns: 2 })).toBe(true);
  });
});

describe('threshold', () => {
  const threshold = (): Search =>
    new Search(
      Array.from({ length: 20 }, (_, i) => Math.sqrt(19 / 20) * (i % 2 === 0 ? 1 : -1)),
      'threshold',
    );

  it('asks for two fresh runs of what passes its screen, and decides by these alone', () => {
    const wants = (scores: number[]): boolean => wantsAnotherRun('threshold', threshold().inputs(scores), 5);
    expect([wants([-1]), wants([-2]), wants([-2, 5]), wants([-2, 5, 5])]).toEqual([false, true, true, false]);
    expect(threshold().trial([-9])).toBe(false);
    expect(threshold().trial([-9, 0.1, -0.1])).toBe(false);
    const passed = threshold().would([-9, -1, -2]).result;
    expect(passed).toMatchObject({ adopt: true, gain: null, standing: { score: -1.5, runs: 2 } });
  });

  it('hears small gains after a large one, by the noise of the family', () => {
    const search = threshold();
    expect(search.trial([-24, -24.02, -23.99])).toBe(true);
    for (const child of [-24.01, -23.98, -24.02]) search.trial([child]);
    expect(search.trial([-24.2, -24.19, -24.22])).toBe(true);
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

  it('tells what a run that was not made was worth and cost, and the noise with where it is from', () => {
    const { worth, price, spread } = decideBy('posterior', 1, against([1])).result;
    expect(worth).toBeLessThanOrEqual(price ?? 0);
    expect(spread).toMatchObject({ since: 0, runs: 20, trials: 1 });
    expect(spread?.low).toBeLessThan(1);
    expect(spread?.high).toBeGreaterThan(1);
  });

  it('knows what an edit did exactly where both were trained by the same run', () => {
    const inputs = against([-0.2], { shared: 0 });
    const { result, knowledge } = decideBy('posterior', 1, inputs);
    expect([result.adopt, result.likelihoods]).toEqual([true, []]);
    expect(result.gain).toBeCloseTo(0.2, 9);
    expect(result.own?.mean).toBeCloseTo((result.before?.mean ?? 0) - 0.2, 9);
    expect(knowledge.family).toEqual(inputs.knowledge?.family);
    expect(wantsAnotherRun('posterior', inputs, 5)).toBe(false);
    expect(decideBy('posterior', 1, against([0.2], { shared: 0 })).result.adopt).toBe(false);
  });

  it('counts runs that are equal whatever their seed as one, and asks for no further', () => {
    const three = against([-2, -2, -2], { alike: true });
    const one = against([-2]);
    const [made, single] = [three, one].map((inputs) => decideBy('posterior', 1, inputs));
    expect(made?.result.gain).toBe(single?.result.gain);
    expect(made?.knowledge.beliefs).toEqual(single?.knowledge.beliefs);
    expect(made?.result.standing).toEqual({ score: -2, runs: 1 });
    expect(wantsAnotherRun('posterior', three, 5)).toBe(false);
  });

  it('stays a number whatever recipes score, and holds later ones against the best', () => {
    const extreme = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(-Number.MAX_VALUE, Number.MAX_VALUE, -1e155, -1e100, -1e12),
    );
    const trials = fc.array(
      fc.record({
        scores: fc.array(extreme, { minLength: 1, maxLength: 3 }),
        shared: fc.option(extreme, { freq: 4 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(fc.constantFrom('posterior', 'threshold'), trials, (by, all) => {
        const search = new Search([1, 2, 3, 4], by);
        for (const { scores, shared } of all) {
          const inputs = search.inputs(scores, { shared });
          const { result, knowledge } = search.would(scores, { shared });
          expect(decisionInputsSchema.parse(inputs)).toEqual(inputs);
          expect(decisionResultSchema.parse(result)).toEqual(result);
          expect(knowledgeSchema.parse(knowledge)).toEqual(knowledge);
          search.trial(scores, { shared });
        }
      }),
    );
  });

  it.each([-1e9, -1e12, -1e100, -1e300])('keeps %s when 2 is measured after it', (best) => {
    const search = new Search([2.3, 2.4, 2.2, 2.35]);
    search.trial([best, best]);
    expect(search.would([2]).result.adopt).toBe(false);
    expect(search.would([2], { parent: 0 }).result.adopt).toBe(false);
  });

  it('judges runs of one artifact that were scored differently by their mean', () => {
    const inputs = { alike: true };
    const search = new Search([2.3, 2.4, 2.2, 2.35]);
    const { result } = search.would([1.5, 3.5], inputs);
    expect(result).toMatchObject({ adopt: false, standing: { score: 2.5, runs: 1 } });
  });
});
