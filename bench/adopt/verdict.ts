import type { RuleSummary, ScenarioSummary } from './comparison.js';
import type { SimulatedRuleName } from './rules/all.js';

/** The rule under test. */
export const SUBJECT = 'posterior-v2' satisfies SimulatedRuleName;
/** Standard errors that it may be behind by in one of all the comparisons. */
const MOST_BEHIND_SE = 3.5;
const MOST_OFF_SHARE = 0.05;
const MOST_OFF_SD = 0.1;
const MOST_NULL_SHARE = 0.1;
/** Differences below this, in the metric's unit, are rounding: without harm or gain all rules come to the same. */
const ROUNDING = 1e-12;

/** A line that the rule under test has to keep, and where it does not. */
export interface VerdictLine {
  line: string;
  /** Number of comparisons. */
  compared: number;
  missed: string[];
}

/** Holds the rule under test against what is asked of it; nothing where it did not run. */
export function verdictOn(summaries: readonly ScenarioSummary[]): VerdictLine[] {
  const lines = [
    {
      line: `true gain not below any other rule's by more than ${MOST_BEHIND_SE} standard errors`,
      found: summaries.flatMap(behindOthers),
    },
    {
      line: `own estimate within ${percent(MOST_OFF_SHARE)} of the true gain or ${MOST_OFF_SD} of a run's standard deviation, the larger of the two (where something can be gained)`,
      found: summaries.flatMap(ownEstimate),
    },
    {
      line: `nulls believe at most ${percent(MOST_NULL_SHARE)} of what greedy believes`,
      found: summaries.flatMap(nullBelief),
    },
  ];
  return lines
    .filter(({ found }) => found.length > 0)
    .map(({ line, found }) => ({
      line,
      compared: found.length,
      missed: found.filter(({ holds }) => !holds).map(({ said }) => said),
    }));
}

interface Finding {
  holds: boolean;
  said: string;
}

const ruleIn = ({ rules }: ScenarioSummary, name: SimulatedRuleName): RuleSummary | undefined =>
  rules.find(({ rule }) => rule === name);

function behindOthers({ scenario, rules }: ScenarioSummary): Finding[] {
  return rules.flatMap(({ rule, behind }) => {
    if (rule === SUBJECT || behind === null) return [];
    const { mean, standardError } = behind;
    return {
      holds: mean >= -MOST_BEHIND_SE * standardError - ROUNDING,
      said: `${scenario.name}: ${tenThousandths(mean)} ± ${tenThousandths(standardError)} against ${rule}`,
    };
  });
}

function ownEstimate(summary: ScenarioSummary): Finding[] {
  const { scenario } = summary;
  const subject = ruleIn(summary, SUBJECT);
  if (subject === undefined || scenario.mix === 'null') return [];
  const { off, gain } = subject;
  const most = Math.max(MOST_OFF_SHARE * Math.abs(gain.mean), MOST_OFF_SD * scenario.sd);
  const { mean, standardError } = off;
  return [
    {
      holds: Math.abs(mean) <= most,
      said: `${scenario.name}: off by ${tenThousandths(mean)} ± ${tenThousandths(standardError)}, allowed ${tenThousandths(most)}`,
    },
  ];
}

function nullBelief(summary: ScenarioSummary): Finding[] {
  const [subject, greedy] = [ruleIn(summary, SUBJECT), ruleIn(summary, 'greedy')];
  if (subject === undefined || greedy === undefined || summary.scenario.mix !== 'null') return [];
  const share = subject.own.mean / greedy.own.mean;
  return [
    {
      holds: share <= MOST_NULL_SHARE,
      said: `${summary.scenario.name}: ${tenThousandths(subject.own.mean)} ± ${tenThousandths(subject.own.standardError)}, ${percent(share)} of greedy's ${tenThousandths(greedy.own.mean)}`,
    },
  ];
}

const tenThousandths = (value: number): string => `${(1e4 * value).toFixed(2)}e-4`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
