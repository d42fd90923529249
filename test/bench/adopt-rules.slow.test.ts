import { describe, expect, it } from 'vitest';
import { runRepetition, summarise, type RuleSummary } from '../../bench/adopt/comparison.js';
import type { SimulatedRuleName } from '../../bench/adopt/rules/all.js';
import { SCENARIOS } from '../../bench/adopt/scenarios.js';
import { SUBJECT } from '../../bench/adopt/verdict.js';

const REPETITIONS = 30;
const RUNS = 440;
const LIMIT_MS = 1_200_000;

function compared(name: string): { subject: RuleSummary; greedy: RuleSummary } {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario "${name}"`);
  const repetitions = Array.from({ length: REPETITIONS }, (_, repetition) =>
    runRepetition({ scenario, repetition, runs: RUNS, rules: ['greedy', SUBJECT] }),
  );
  const { rules } = summarise(scenario, repetitions, SUBJECT);
  const of = (name: SimulatedRuleName): RuleSummary => {
    const found = rules.find(({ rule }) => rule === name);
    if (found === undefined) throw new Error(`${name} did not run`);
    return found;
  };
  return { subject: of(SUBJECT), greedy: of('greedy') };
}

describe(`the rule ${SUBJECT} over ${REPETITIONS} campaigns of ${RUNS} runs`, () => {
  it.each(['many 5e-4 huge 1', 'many 5e-4 plain 4'])(
    'truly gains no less than greedy: %s',
    (name) => {
      const { behind } = compared(name).greedy;
      expect(behind?.mean).toBeGreaterThanOrEqual(-2 * (behind?.standardError ?? NaN));
    },
    LIMIT_MS,
  );

  it(
    'believes at most 10 % of what greedy believes where nothing can be gained',
    () => {
      const { subject, greedy } = compared('null 5e-4 plain 1');
      expect(subject.own.mean).toBeLessThanOrEqual(0.1 * greedy.own.mean);
    },
    LIMIT_MS,
  );
});
