import { z } from 'zod';
import { runCampaign } from './campaign.js';
import { SIMULATED_RULES, simulatedRuleName, type SimulatedRuleName } from './rules/all.js';
import { scenarioSchema, type Scenario } from './scenarios.js';

const outcomeSchema = z.object({
  gain: z.number(),
  own: z.number(),
  adopted: z.number(),
  notBetter: z.number(),
  /** Processor time of the campaign. */
  cpuSeconds: z.number(),
});
type Outcome = z.infer<typeof outcomeSchema>;

export const repetitionInputSchema = z.object({
  scenario: scenarioSchema,
  repetition: z.number().int(),
  /** Runs of each campaign, the start's included. */
  runs: z.number().int(),
  rules: z.array(simulatedRuleName),
});
export type RepetitionInput = z.infer<typeof repetitionInputSchema>;

/** Outcomes of the rules in one repetition of a scenario, under the same proposals and the same noise. */
export const repetitionSchema = z.partialRecord(simulatedRuleName, outcomeSchema);
export type Repetition = z.infer<typeof repetitionSchema>;

/** Runs one campaign of each rule. Processor time is that of the whole process, so nothing else may run in it. */
export function runRepetition({ rules, ...input }: RepetitionInput): Repetition {
  const outcomes: Repetition = {};
  for (const rule of rules) {
    const before = process.cpuUsage();
    const outcome = runCampaign(SIMULATED_RULES[rule](), input);
    const { user, system } = process.cpuUsage(before);
    outcomes[rule] = { ...outcome, cpuSeconds: (user + system) / 1e6 };
  }
  return outcomes;
}

export interface Estimate {
  mean: number;
  standardError: number;
}

/** Estimates the mean of at least 2 independent values. */
export function estimate(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardError: Math.sqrt(squares / (values.length - 1) / values.length) };
}

/** Outcome of a rule over all repetitions of a scenario, in the metric's unit. */
export interface RuleSummary {
  rule: SimulatedRuleName;
  gain: Estimate;
  own: Estimate;
  /** Own estimate less the true gain. */
  off: Estimate;
  /** True gain of the rule under test less that of this one, in pairs; null where the former did not run. */
  behind: Estimate | null;
  adopted: number;
  notBetter: number;
  cpuSeconds: number;
}

export interface ScenarioSummary {
  scenario: Scenario;
  repetitions: number;
  rules: RuleSummary[];
}

/**
 * Sums up the repetitions of a scenario.
 * @param subject the rule that the others are compared with
 */
export function summarise(
  scenario: Scenario,
  repetitions: readonly Repetition[],
  subject: SimulatedRuleName,
): ScenarioSummary {
  const outcomesOf = (rule: SimulatedRuleName): Outcome[] =>
    repetitions.flatMap((repetition) => repetition[rule] ?? []);
  const reference = outcomesOf(subject);
  const rules = simulatedRuleName.options.flatMap((rule): RuleSummary[] => {
    const outcomes = outcomesOf(rule);
    if (outcomes.length === 0) return [];
    const over = (value: (outcome: Outcome, at: number) => number): Estimate => estimate(outcomes.map(value));
    return [
      {
        rule,
        gain: over(({ gain }) => gain),
        own: over(({ own }) => own),
        off: over(({ own, gain }) => own - gain),
        behind: reference.length === 0 ? null : over(({ gain }, at) => (reference[at]?.gain ?? NaN) - gain),
        adopted: over(({ adopted }) => adopted).mean,
        notBetter: over(({ notBetter }) => notBetter).mean,
        cpuSeconds: over(({ cpuSeconds }) => cpuSeconds).mean,
      },
    ];
  });
  return { scenario, repetitions: repetitions.length, rules };
}
