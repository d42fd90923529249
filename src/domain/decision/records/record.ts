import { z } from 'zod';
import { finite } from '../../trial/evaluation.js';
import { frontierSchema, guardSchema } from './shared-record.js';

export { frontierSchema, type Frontier, type GuardValue } from './shared-record.js';

/** How a candidate is held against the frontier. */
export const RULES = ['posterior', 'greedy', 'threshold'] as const;
export const ruleSchema = z.enum(RULES);
export type Rule = z.infer<typeof ruleSchema>;

/** The version of the rules that new campaigns decide by; a campaign keeps the one it began with. */
export const RULE_VERSION = 2 satisfies RuleVersion;
export const ruleVersionSchema = z.union([z.literal(1), z.literal(2)]);
export type RuleVersion = z.infer<typeof ruleVersionSchema>;

/** What a campaign's input may name: `posterior@1` is the first version, for comparison. */
export const ruleNameSchema = z.enum([...RULES, 'posterior@1']);

/** The rule and its version that a name in a campaign's input stands for. */
export function ruleNamed(name: z.infer<typeof ruleNameSchema>): { rule: Rule; ruleVersion: RuleVersion } {
  return name === 'posterior@1'
    ? { rule: 'posterior', ruleVersion: 1 }
    : { rule: name, ruleVersion: RULE_VERSION };
}

const joint = z.object({
  level: z.number().int(),
  weight: finite,
  means: z.array(finite),
  covariances: z.array(z.array(finite)),
});

/** What is believed of noise and true scores together, as costs: negated where the metric is maximised. */
const beliefs = z.object({
  unit: finite,
  lowest: z.number().int(),
  trials: z.array(z.number().int()),
  levels: z.array(joint).min(1),
});

/** Where the family of recipes with the frontier's noise began, and what was measured of it. */
const familySchema = z.object({
  /** The trial that it began with. */
  since: z.number().int(),
  runs: z.number().int(),
  trials: z.number().int(),
});
export type Family = z.infer<typeof familySchema>;

/** What a campaign knows of its metric, carried from decision to decision. */
export const knowledgeSchema = z.object({
  /** Weights of the components of effects, any size last. */
  weights: z.array(finite),
  /** Runs that decisions have used. */
  runs: z.number().int(),
  /** null where nothing is known of noise: fewer than two runs of the start, or a task without any. */
  beliefs: beliefs.nullable(),
  /** Adoptions that still count for the price of a run. */
  gains: z.array(z.object({ run: z.number().int(), gain: finite })),
  /** With the typical standard deviation as it was believed to be when the family began; null where it is not known. */
  family: familySchema.extend({ sd: finite.nullable() }),
  /** The present frontier and its children so far. */
  latest: familySchema,
});
export type Knowledge = z.infer<typeof knowledgeSchema>;

/** Everything that a decision uses; stored with it, so that it can be recomputed. Scores in the metric's unit. */
export const decisionInputsSchema = z.object({
  direction: z.enum(['minimize', 'maximize']),
  metric: z.string(),
  /** Of the candidate, one a replicate, in their order. */
  scores: z.array(finite).min(1),
  replicates: z.array(z.string()),
  /** Mean of the scores. */
  score: finite,
  /** Whether the candidate meets every gate. */
  eligible: z.boolean(),
  /** The parent's score under the very training that the first score shares; null where it trained itself. */
  shared: finite.nullable(),
  /** Whether its runs under different seeds are equal to rounding where the start's were not: they count as one. */
  alike: z.boolean(),
  /** Whether it differs in nothing but seeds from its parent, or from the frontier. */
  seedOnly: z.boolean(),
  /** Whether the task declares that its runs do not differ. */
  deterministic: z.boolean(),
  guards: z.array(guardSchema),
  /** As it was before; null for the start itself. */
  frontier: frontierSchema.nullable(),
  knowledge: knowledgeSchema.nullable(),
  /** The trial that it was edited from; null for the start. */
  parent: z.number().int().nullable(),
  /** Parents of the other trials in flight, ascending: of these the beliefs are kept. */
  open: z.array(z.number().int()),
  /** Runs that a person has asked for: so many and no more; null: as many as are worth their price. */
  askedRuns: z.number().int().nullable(),
  /** What knowing the noise better is worth by itself, in standard deviations for each nat²: more than 0 in short searches. */
  noiseValue: finite,
});
export type DecisionInputs = z.infer<typeof decisionInputsSchema>;

const estimate = z.object({ mean: finite, sd: finite });

export const decisionResultSchema = z.object({
  adopt: z.boolean(),
  /** score − frontier's score; null for the start. */
  delta: finite.nullable(),
  /** By how much better than the frontier it is expected to be, ≥ 0 is better; null where nothing is believed. */
  gain: finite.nullable(),
  /** Typical standard deviation from run to run that it was judged by; null where it is not known. */
  sd: finite.nullable(),
  /** That noise: nine tenths of its probability lie from `low` to `high`, and what it was measured on. */
  spread: familySchema.extend({ sd: finite, low: finite, high: finite }).nullable(),
  /** What a further run would have been worth, and cost, in the metric's unit; null where none was weighed. */
  worth: finite.nullable(),
  price: finite.nullable(),
  /** The guard that forbade the adoption, in words. */
  veto: z.string().nullable(),
  /** What was believed of the frontier before it. */
  before: estimate.nullable(),
  /** What is believed after it, of every recipe that candidates may stand on. */
  believed: z.array(estimate.extend({ trial: z.number().int() })),
  /** The same of the candidate, adopted or not. */
  own: estimate.nullable(),
  likelihoods: z.array(finite),
  /** Score and runs behind it that the candidate stands for if it is adopted. */
  standing: z.object({ score: finite, runs: z.number().int() }),
});
export type DecisionResult = z.infer<typeof decisionResultSchema>;
