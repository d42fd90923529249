import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lessonOf, type LessonFacts } from '../../../src/domain/decision/lesson.js';
import { RULES } from '../../../src/domain/decision/records/record.js';

const FRONTIER = { trial: 5, score: 0.9914, runs: 1, eligible: true, believed: { mean: 0.9931, sd: 0.0012 } };
const SPREAD = { sd: 0.002, runs: 3, trials: 2, since: 4 };

/** One run of 0.936 against trial 5 at 0.9914. */
function facts(more: Partial<LessonFacts> = {}): LessonFacts {
  const mean = more.mean ?? 0.936;
  const frontier = more.frontier === undefined ? FRONTIER : more.frontier;
  return {
    rule: 'posterior',
    direction: 'minimize',
    adopt: true,
    frontier,
    parent: 5,
    scores: [mean],
    mean,
    delta: frontier === null ? null : mean - frontier.score,
    gain: 0.0549,
    believedOwn: { mean: 0.9382, sd: 0.0016 },
    spread: SPREAD,
    paired: false,
    veto: null,
    barred: null,
    alike: false,
    deterministic: false,
    ...more,
  };
}

const UNKNOWN = {
  gain: null,
  believedOwn: null,
  spread: null,
  frontier: { ...FRONTIER, believed: null },
} as const;

const TABLE: [string, Partial<LessonFacts>, string][] = [
  [
    'measured better, expected to be better',
    {},
    'measured 0.936 bits/byte in 1 run, better than trial 5 by 0.0554 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.0549; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): adopted, nothing is claimed',
  ],
  [
    'measured better, and that is believed to be luck',
    { adopt: false, mean: 0.9888, gain: -0.0003, believedOwn: { mean: 0.9934, sd: 0.02 } },
    'measured 0.9888 bits/byte in 1 run, better than trial 5 by 0.0026 (0.9914 in 1 run); believed 0.9934 ± 0.02 against 0.9931 ± 0.0012 of trial 5, expected to be worse by 0.0003; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted',
  ],
  [
    'measured better, expected to be better by too little',
    { adopt: false, mean: 0.9888, gain: 0.00003 },
    'measured 0.9888 bits/byte in 1 run, better than trial 5 by 0.0026 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.00003; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted, too little beside the noise',
  ],
  [
    'measured worse than a lucky run, expected to be better than what is believed of it',
    { mean: 0.992, gain: 0.0008 },
    'measured 0.992 bits/byte in 1 run, worse than trial 5 by 0.0006 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.0008; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): adopted, nothing is claimed',
  ],
  [
    'a sibling that has not measured ahead of the frontier',
    { adopt: false, mean: 0.992, gain: 0.0008, parent: 3 },
    'measured 0.992 bits/byte in 1 run, worse than trial 5 by 0.0006 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.0008; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted, it does not build on trial 5 and has not measured ahead of it',
  ],
  [
    'a tie',
    { adopt: false, mean: 0.9914, gain: 0 },
    'measured 0.9914 bits/byte in 1 run, equal to trial 5 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be no different; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted',
  ],
  [
    'a single run, noise not known, better',
    { ...UNKNOWN },
    'better in a single run than trial 5 by 0.0554: 0.936 bits/byte against 0.9914; noise not known: adopted, nothing is claimed',
  ],
  [
    'a single run, noise not known, worse',
    { ...UNKNOWN, adopt: false, mean: 1.1 },
    'worse in a single run than trial 5 by 0.109: 1.1 bits/byte against 0.9914; noise not known: not adopted',
  ],
  [
    'a single run, noise not known, equal',
    { ...UNKNOWN, adopt: false, mean: 0.9914 },
    'equal in a single run to trial 5: 0.9914 bits/byte against 0.9914; noise not known: not adopted',
  ],
  [
    'greedy, where the noise is known all the same',
    { ...UNKNOWN, rule: 'greedy', spread: { sd: 0.058, runs: null, trials: null, since: null } },
    'measured 0.936 bits/byte in 1 run, better than trial 5 by 0.0554 (0.9914 in 1 run); runs differ by about 0.058: adopted, nothing is claimed',
  ],
  [
    'threshold, better but not by enough',
    { ...UNKNOWN, rule: 'threshold', adopt: false, scores: [0.9, 0.95, 0.958], spread: SPREAD },
    'measured 0.936 bits/byte in 3 runs, better than trial 5 by 0.0554 (0.9914 in 1 run); runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted, that is not enough for this rule beside the noise',
  ],
  [
    'a veto',
    { adopt: false, veto: 'the guard "seconds" has no value' },
    'measured 0.936 bits/byte in 1 run, better than trial 5 by 0.0554 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.0549; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): not adopted, the guard "seconds" has no value',
  ],
  [
    'a start that misses a gate',
    { ...UNKNOWN, mean: 1.1, frontier: { ...UNKNOWN.frontier, eligible: false } },
    'worse in a single run than trial 5 by 0.109: 1.1 bits/byte against 0.9914; noise not known: adopted, since trial 5 misses a gate and this meets them',
  ],
  [
    'runs that do not depend on the seed',
    { scores: [0.936, 0.936] },
    'measured 0.936 bits/byte in 2 runs that count as one (seed-fixed), better than trial 5 by 0.0554 (0.9914 in 1 run); believed 0.9382 ± 0.0016 against 0.9931 ± 0.0012 of trial 5, expected to be better by 0.0549; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): adopted, nothing is claimed',
  ],
  [
    'a deterministic task',
    { ...UNKNOWN, deterministic: true },
    'measured 0.936 bits/byte in 1 run (deterministic), better than trial 5 by 0.0554 (0.9914 in 1 run): adopted, nothing is claimed',
  ],
  [
    'a changed seed in a deterministic task',
    { ...UNKNOWN, deterministic: true, adopt: false, barred: 'seed-only' },
    'measured 0.936 bits/byte in 1 run (deterministic), better than trial 5 by 0.0554 (0.9914 in 1 run): not adopted, it changes nothing but a seed (seed-only)',
  ],
  [
    'the training of its parent',
    { paired: true, believedOwn: null },
    'measured 0.936 bits/byte in 1 run, better than trial 5 by 0.0554 (0.9914 in 1 run); expected to be better by 0.0549, known without noise by the training that it shares with its parent; runs differ by about 0.002 (from 3 runs of 2 trials of the family of trial 4): adopted, nothing is claimed',
  ],
  [
    'the start',
    {
      frontier: null,
      gain: null,
      mean: 2.305,
      scores: [2.25, 2.36],
      spread: { ...SPREAD, sd: 0.078, runs: 2, trials: 1, since: 0 },
    },
    'the start of the search: measured 2.305 bits/byte in 2 runs; runs differ by about 0.078 (from 2 runs of 1 trial of the family of trial 0)',
  ],
  [
    'the start in a single run',
    { ...UNKNOWN, frontier: null, mean: 2.305 },
    'the start of the search: measured 2.305 bits/byte in 1 run; noise not known',
  ],
];

describe('the lesson of a decision', () => {
  it.each(TABLE)('of %s', (_, more, text) => {
    const alike = more.scores?.[0] === more.scores?.[1] && more.scores !== undefined;
    expect(lessonOf(facts({ ...more, alike }), 'bits/byte')).toBe(text);
  });

  it('has no blank at its end for a metric without a unit', () => {
    expect(lessonOf(facts({ ...UNKNOWN }), '')).toMatch(/by 0\.0554: 0\.936 against 0\.9914; /);
  });

  it('never calls a score better that measured worse, nor the reverse, whatever is believed', () => {
    const score = fc.double({ min: -5, max: 5, noNaN: true });
    const belief = fc.option(fc.record({ mean: score, sd: fc.double({ min: 1e-6, max: 3, noNaN: true }) }));
    const arbitrary = fc.record({
      rule: fc.constantFrom(...RULES),
      direction: fc.constantFrom('minimize', 'maximize'),
      adopt: fc.boolean(),
      gain: fc.option(score),
      believedOwn: belief,
      spread: fc.option(fc.constant(SPREAD)),
      paired: fc.boolean(),
      veto: fc.option(fc.constant('the guard says no')),
      barred: fc.option(fc.constant('seed-only' as const)),
      alike: fc.boolean(),
      deterministic: fc.boolean(),
      parent: fc.constantFrom(3, 5, null),
    });
    const runs = fc.array(score, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(arbitrary, belief, runs, score, fc.boolean(), (some, believed, scores, other, tie) => {
        const mean = scores.reduce((sum, one) => sum + one, 0) / scores.length;
        const frontier = { trial: 5, score: tie ? mean : other, runs: 2, eligible: true, believed };
        const { direction } = some;
        const text = lessonOf(facts({ ...some, scores, mean, frontier }), 'nats');
        const measured = text.replace(/expected to be (better|worse)/g, '');
        const ahead = direction === 'minimize' ? mean < frontier.score : mean > frontier.score;
        const word = mean === frontier.score ? 'equal' : ahead ? 'better' : 'worse';
        expect(measured.match(/\b(better|worse|equal)\b/g)).toEqual([word]);
        // the measurement comes first, and a belief is never shown without it
        expect(text.search(/\b(better|worse|equal)\b/)).toBe(text.indexOf(word));
        expect(text).not.toMatch(/NaN|undefined|null|\n/);
      }),
    );
  });
});
