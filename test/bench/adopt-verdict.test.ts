import { expect, it } from 'vitest';
import type { RuleSummary, ScenarioSummary } from '../../bench/adopt/comparison.js';
import { SCENARIOS } from '../../bench/adopt/scenarios.js';
import { SUBJECT, verdictOn } from '../../bench/adopt/verdict.js';

const exactly = (mean: number, standardError = 0.1e-4) => ({ mean, standardError });

interface Came {
  gain?: number;
  own?: number;
  /** True gain of greedy. */
  greedy?: number;
  greedyOwn?: number;
}

function summaryOf(
  name: string,
  { gain = 0, own = gain, greedy = 0, greedyOwn = greedy }: Came,
): ScenarioSummary {
  const scenario = SCENARIOS.find((each) => each.name === name);
  if (scenario === undefined) throw new Error(`no scenario "${name}"`);
  const rule = (name: RuleSummary['rule'], gained: number, believed: number): RuleSummary => ({
    rule: name,
    gain: exactly(gained),
    own: exactly(believed),
    off: exactly(believed - gained),
    behind: exactly(gain - gained),
    adopted: 1,
    notBetter: 0,
    cpuSeconds: 0,
  });
  return { scenario, repetitions: 150, rules: [rule('greedy', greedy, greedyOwn), rule(SUBJECT, gain, own)] };
}

const missesOf = (name: string, came: Came): number[] =>
  verdictOn([summaryOf(name, came)]).map(({ missed }) => missed.length);

it.each([
  ['as good as greedy', { gain: 50e-4, greedy: 50e-4 }, [0, 0]],
  ['worse by 3.4 standard errors', { gain: 50e-4, greedy: 50.34e-4 }, [0, 0]],
  ['worse by 3.6 standard errors', { gain: 50e-4, greedy: 50.36e-4 }, [1, 0]],
  ['believes 4.9 % too much', { gain: 50e-4, own: 52.45e-4 }, [0, 0]],
  ['believes 5.1 % too much', { gain: 50e-4, own: 52.55e-4 }, [0, 1]],
  ['believes 5.1 % too little', { gain: 50e-4, own: 47.45e-4 }, [0, 1]],
  ['gains little and believes 0.09 sd more', { gain: 1e-4, own: 1.45e-4 }, [0, 0]],
  ['gains little and believes 0.11 sd more', { gain: 1e-4, own: 1.55e-4 }, [0, 1]],
])('a rule that is or does this: %s', (_, came, misses) => {
  expect(missesOf('few 5e-4 plain 1', came)).toEqual(misses);
});

it.each([
  ['9 %', { own: 0.9e-4, greedyOwn: 10e-4 }, [0, 0]],
  ['11 %', { own: 1.1e-4, greedyOwn: 10e-4 }, [0, 1]],
])('a null that believes %s of what greedy believes', (_, came, misses) => {
  expect(missesOf('null 5e-4 plain 1', came)).toEqual(misses);
});

it('names what is missed, and says nothing where the rule did not run', () => {
  const [line] = verdictOn([summaryOf('few 5e-4 plain 1', { gain: 10e-4, greedy: 20e-4 })]);
  expect(line?.missed).toEqual(['few 5e-4 plain 1: -10.00e-4 ± 0.10e-4 against greedy']);
  const { rules, ...rest } = summaryOf('few 5e-4 plain 1', {});
  const without = {
    ...rest,
    rules: rules.filter(({ rule }) => rule === 'greedy').map((rule) => ({ ...rule, behind: null })),
  };
  expect(verdictOn([without])).toEqual([]);
});
