import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAlike,
  leavesNoiseUnknown,
  verdictOn,
  weighedOutcome,
  type Interruption,
  type SeedFacts,
  type TrialFacts,
  type Twin,
} from '../../../src/domain/decision/verdict.js';
import { unmeasured, type Outcome } from '../../../src/domain/trial/outcome.js';

const margin = (over: number) =>
  ({ gate: 'size', metric: 'bytes', value: 100 + over, limit: 100, side: 'max', over }) as const;
const scored = unmeasured('discard', '', { score: 2, margins: [margin(-50)] });
const misses: Outcome = { ...scored, status: 'disqualified', margins: [margin(1)] };
const crashed = unmeasured('crash', 'train: exited with code 1', {
  failure: { status: 'crash', phase: 'train', reason: 'exited with code 1', limit: null, tail: '' },
});
const stopped: Outcome = { ...crashed, status: 'discard' };
const unscored = unmeasured('disqualified', 'size: missed', { margins: [margin(1)] });

const cutOff: Interruption = { reason: 'a worker was lost', withdrawn: false };
const withdrawn: Interruption = { reason: 'a person: no', withdrawn: true };
const twin = (outcome: Outcome | null): Twin => ({ number: 3, outcome });

const BASE: TrialFacts = {
  isStart: false,
  twin: null,
  interruption: null,
  measured: scored,
  scored: 1,
  calibration: 3,
  alike: false,
  mayRepeat: true,
};
/** The start with two of the three runs that it needs. */
const START: Partial<TrialFacts> = { isStart: true, scored: 2 };
const CALIBRATED: Partial<TrialFacts> = { isStart: true, scored: 3 };

/** `weigh`, `again`, or the status that it is settled with. */
function shown(facts: Partial<TrialFacts>): string {
  const verdict = verdictOn({ ...BASE, ...facts });
  return verdict.kind === 'settled' ? verdict.outcome.status : verdict.kind;
}

describe('the verdict on a trial', () => {
  it.each<[string, Partial<TrialFacts>, string]>([
    ['measured, meets every gate', {}, 'weigh'],
    ['measured, misses a gate', { measured: misses }, 'disqualified'],
    ['failed', { measured: crashed }, 'crash'],
    ['stopped by its own progress', { measured: stopped }, 'discard'],
    ['without a score', { measured: unscored }, 'disqualified'],
    ['nothing measured', { measured: null }, 'cancelled'],

    ['interrupted, nothing measured', { measured: null, interruption: cutOff }, 'cancelled'],
    ['interrupted, but measured', { interruption: cutOff, mayRepeat: false }, 'weigh'],
    ['interrupted, but failed', { measured: crashed, interruption: cutOff }, 'crash'],
    ['interrupted, but misses a gate', { measured: misses, interruption: cutOff }, 'disqualified'],
    ['withdrawn, whatever was measured', { interruption: withdrawn }, 'cancelled'],
    ['withdrawn, though it failed', { measured: crashed, interruption: withdrawn }, 'cancelled'],

    ['start, too few runs', START, 'weigh'],
    ['start, enough runs', CALIBRATED, 'weigh'],
    ['start, interrupted with too few runs', { ...START, interruption: cutOff }, 'cancelled'],
    ['start, interrupted with enough runs', { ...CALIBRATED, interruption: cutOff }, 'weigh'],
    ['start, interrupted after it failed', { ...START, measured: crashed, interruption: cutOff }, 'crash'],
    ['start, misses a gate, too few runs', { ...START, measured: misses }, 'again'],
    ['start, misses a gate, enough runs', { ...CALIBRATED, measured: misses }, 'disqualified'],
    ['start, misses a gate, no more runs', { ...START, measured: misses, mayRepeat: false }, 'disqualified'],
    ['start, failed, too few runs', { ...START, measured: crashed }, 'crash'],

    ['same code as a trial that was kept', { twin: twin({ ...scored, status: 'keep' }) }, 'duplicate'],
    ['same code as a trial that failed', { twin: twin(crashed), measured: null }, 'duplicate'],
    ['same code, withdrawn', { twin: twin(crashed), interruption: withdrawn }, 'duplicate'],
    ['same code as a cancelled trial', { twin: twin(unmeasured('cancelled', '')) }, 'weigh'],
    ['same code as a trial without an outcome', { twin: twin(null) }, 'weigh'],
  ])('%s', (_, facts, expected) => {
    expect(shown(facts)).toBe(expected);
  });

  it('gives a duplicate the numbers of the first, and no decision of its own', () => {
    const first = { ...scored, status: 'keep' as const, decision: 'd', lesson: 'better' };
    const verdict = verdictOn({ ...BASE, twin: twin(first) });
    expect(verdict).toMatchObject({
      kind: 'settled',
      outcome: { score: 2, duplicateOf: 3, decision: null, lesson: expect.stringContaining('trial 3') },
    });
  });

  it('says who cancelled a trial', () => {
    expect(verdictOn({ ...BASE, interruption: withdrawn })).toMatchObject({
      outcome: { cancelledBy: 'a person: no', lesson: 'a person: no', score: null },
    });
    expect(verdictOn({ ...BASE, measured: null })).toMatchObject({ outcome: { cancelledBy: null } });
  });

  it('labels runs that do not depend on the seed, also where a gate is missed', () => {
    for (const measured of [scored, misses])
      expect(verdictOn({ ...BASE, measured, alike: true })).toMatchObject({
        outcome: { labels: ['seed-fixed'] },
      });
  });

  const anyFacts = fc.record({
    isStart: fc.boolean(),
    twin: fc.constantFrom(null, twin(null), twin(crashed), twin(scored)),
    interruption: fc.constantFrom(null, cutOff, withdrawn),
    measured: fc.constantFrom(null, scored, misses, crashed, stopped, unscored),
    scored: fc.nat(4),
    calibration: fc.nat(4),
    alike: fc.boolean(),
    mayRepeat: fc.boolean(),
  });

  it('weighs only what was measured without failure and meets every gate, and repeats only what may be', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const verdict = verdictOn(facts);
        if (verdict.kind === 'weigh') expect(facts.measured).toBe(scored);
        if (verdict.kind === 'again') expect(facts.mayRepeat && facts.isStart).toBe(true);
        if (verdict.kind === 'settled') expect(verdict.outcome.status).not.toBe('keep');
      }),
    );
  });
});

describe('the outcome of a trial that a rule has weighed', () => {
  it.each([
    [true, 'keep'],
    [false, 'discard'],
  ] as const)('adopted %s: %s', (adopt, status) => {
    const decided = { adopt, decision: 'd7', labels: [], lesson: 'better by 1' };
    expect(weighedOutcome(scored, decided)).toEqual({
      ...scored,
      status,
      decision: 'd7',
      lesson: 'better by 1',
    });
  });
});

const run = (score: number, artifact = `of ${score}`) => ({ score, artifact });
const noisy = [run(2.1), run(2.3), run(2.2)];

describe('runs that do not depend on the seed', () => {
  const equal: SeedFacts = {
    ruleVersion: 2,
    runs: [run(1, 'a'), run(1, 'a')],
    sharesTraining: false,
    start: noisy,
  };
  it.each<[string, Partial<SeedFacts>, boolean]>([
    ['equal runs', {}, true],
    ['equal runs under the first version of the rules', { ruleVersion: 1 }, false],
    ['equal runs of one shared training', { sharesTraining: true }, false],
    ['one run', { runs: [run(1)] }, false],
    ['different runs', { runs: [run(1), run(2)] }, false],
    ['a start whose runs are equal', { start: null }, true],
    ['a start whose runs differ', { start: null, runs: noisy }, false],
    ['equal runs beside a start whose runs are equal', { start: [run(2, 'b'), run(2, 'b')] }, false],
  ])('%s', (_, facts, expected) => {
    expect(isAlike({ ...equal, ...facts })).toBe(expected);
  });
});

describe('a start that leaves the noise unknown', () => {
  const search = { rule: 'posterior', ruleVersion: 2, submission: null } as const;
  const fixed = { labels: ['seed-fixed' as const] };
  it.each([
    ['equal runs, a rule that weighs noise', search, fixed, true],
    ['runs that differ', search, { labels: [] }, false],
    ['no outcome', search, null, false],
    ['a greedy rule', { ...search, rule: 'greedy' }, fixed, false],
    ['one submitted trial', { ...search, submission: {} }, fixed, false],
    ['the first version of the rules', { ...search, ruleVersion: 1 }, fixed, false],
  ] as const)('%s', (_, frozen, start, expected) => {
    expect(leavesNoiseUnknown(frozen, start === null ? null : { labels: [...start.labels] })).toBe(expected);
  });
});
