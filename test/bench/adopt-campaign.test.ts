import { expect, it } from 'vitest';
import {
  runCampaign,
  type SimulatedCandidate,
  type SimulatedRule,
  type SimulatedVerdict,
} from '../../bench/adopt/campaign.js';
import { runRepetition, summarise } from '../../bench/adopt/comparison.js';
import { simulatedRuleName } from '../../bench/adopt/rules/all.js';
import { SCENARIOS, type Scenario } from '../../bench/adopt/scenarios.js';
import { SUBJECT, verdictOn } from '../../bench/adopt/verdict.js';

/** A rule that records its questions and answers from a script. */
class Scripted implements SimulatedRule {
  readonly calibration = 2;
  readonly asked: SimulatedCandidate[] = [];

  constructor(private readonly answer: (candidate: SimulatedCandidate) => SimulatedVerdict) {}

  begin(scores: readonly number[]): void {
    expect(scores).toHaveLength(this.calibration);
  }
  judge(candidate: SimulatedCandidate): SimulatedVerdict {
    this.asked.push({ ...candidate, scores: [...candidate.scores], open: [...candidate.open] });
    return this.answer(candidate);
  }
  believed(): number {
    return -1;
  }
}

const FOUR_LANES: Scenario = { name: 'four lanes', mix: 'many', sd: 5e-4, kind: 'plain', lanes: 4 };
const run = (rule: SimulatedRule, scenario: Scenario, runs: number) =>
  runCampaign(rule, { scenario, repetition: 0, runs });

it('lanes stand on the frontier of the moment they began, and their parents stay open', () => {
  const rule = new Scripted(({ trial }) => (trial % 3 === 0 ? 'adopt' : 'discard'));
  const outcome = run(rule, FOUR_LANES, 12);
  expect(rule.asked.map(({ trial, parent, frontier, open }) => [trial, parent, frontier, open])).toEqual([
    [1, 0, 0, [0]],
    [2, 0, 0, [0]],
    [3, 0, 0, [0]],
    [4, 0, 3, [0, 3]],
    [5, 0, 3, [0, 3]],
    [6, 0, 3, [3]],
    [7, 3, 6, [3, 6]],
    [8, 3, 6, [3, 6]],
    [9, 3, 6, [6]],
    [10, 6, 9, [6, 9]],
  ]);
  expect(outcome).toMatchObject({ adopted: 3, own: 1 });
});

it('a campaign ends with its runs, and the last one cannot be repeated', () => {
  const rule = new Scripted(({ mayRepeat, scores }) =>
    mayRepeat && scores.length < 3 ? 'again' : 'discard',
  );
  run(rule, { ...FOUR_LANES, lanes: 1 }, 10);
  expect(rule.asked.map(({ runs, scores, mayRepeat }) => [runs, scores.length, mayRepeat])).toEqual([
    [3, 1, true],
    [4, 2, true],
    [5, 3, true],
    [6, 1, true],
    [7, 2, true],
    [8, 3, true],
    [9, 1, true],
    [10, 2, false],
  ]);
});

it('what is gained is the truth about the frontier, and an edit that is no better counts as such', () => {
  const outcome = run(new Scripted(() => 'adopt'), { ...FOUR_LANES, mix: 'null' }, 42);
  expect(outcome).toEqual({ adopted: 40, notBetter: 40, gain: 0, own: 1 });
  const discarding = run(new Scripted(() => 'discard'), FOUR_LANES, 42);
  expect(discarding).toEqual({ adopted: 0, notBetter: 0, gain: 0, own: 1 });
});

it('every scenario runs under every rule, and every line of the verdict is looked at', () => {
  const summaries = SCENARIOS.map((scenario) => {
    const repetitions = [0, 1].map((repetition) =>
      runRepetition({ scenario, repetition, runs: 30, rules: simulatedRuleName.options }),
    );
    return summarise(scenario, repetitions, SUBJECT);
  });
  for (const { rules } of summaries) {
    expect(rules.map(({ rule }) => rule)).toEqual(simulatedRuleName.options);
    for (const { gain, own } of rules) expect(Number.isFinite(gain.mean + own.mean)).toBe(true);
  }
  const others = simulatedRuleName.options.length - 1;
  const nulls = SCENARIOS.filter(({ mix }) => mix === 'null').length;
  expect(verdictOn(summaries).map(({ compared }) => compared)).toEqual([
    others * SCENARIOS.length,
    SCENARIOS.length - nulls,
    nulls,
  ]);
});
