import { z } from 'zod';
import { finite } from '../evaluation.js';

/** How a candidate is held against the frontier. */
export const RULES = ['posterior', 'greedy', 'threshold'] as const;
export const ruleSchema = z.enum(RULES);
export type Rule = z.infer<typeof ruleSchema>;

const noise = z.object({ squares: finite, degrees: z.number().int() });
const node = z.object({ mean: finite, variance: finite });
const guard = z.object({
  metric: z.string(),
  direction: z.enum(['minimize', 'maximize']),
  /** By how much it may be worse than the start's. */
  margin: finite,
  start: finite.nullable(),
  value: finite.nullable(),
});
/** A metric that may veto an adoption, with its values; null: there is none. */
export type GuardValue = z.infer<typeof guard>;

/** The best known recipe as it stands after a decision. */
export const frontierSchema = z.object({
  trial: z.number().int(),
  /** Adoptions so far, the start's included. */
  version: z.number().int(),
  /** Sequence of the decision that adopted it. */
  sequence: z.number().int(),
  /** Mean of the scores that the rule holds others against. */
  score: finite,
  /** Runs behind that mean. */
  runs: z.number().int(),
  /** False for a start that a person let pass although it missed a gate. */
  eligible: z.boolean(),
});
export type Frontier = z.infer<typeof frontierSchema>;

/** What a campaign knows of its metric, carried from decision to decision. */
export const knowledgeSchema = z.object({
  noise,
  /** Weights of the components of effects. */
  weights: z.array(finite),
  /** Runs that decisions have used. */
  runs: z.number().int(),
  /** Mean of the start's runs. */
  startScore: finite,
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
  guards: z.array(guard),
  /** Whether its runs are one measurement although their seeds differ, where those of the start are not. */
  alike: z.boolean().default(false),
  /** Why it may not be adopted, whatever it scores. */
  barred: z.enum(['seed-only']).nullable().default(null),
  /** Whether one run of a recipe is all there is to measure: declared by the task, or accepted by a person. */
  deterministic: z.boolean().default(false),
  /** As it was before; null for the start itself. */
  frontier: frontierSchema.nullable(),
  knowledge: knowledgeSchema.nullable(),
  /** What is believed of the parent's true score; null under rules that do not use it. */
  parent: node.extend({ trial: z.number().int() }).nullable(),
  /** The same of the frontier's; null where it is the parent. */
  frontierNode: node.nullable(),
});
export type DecisionInputs = z.infer<typeof decisionInputsSchema>;

export const decisionResultSchema = z.object({
  adopt: z.boolean(),
  /** score − frontier's score; null for the start. */
  delta: finite.nullable(),
  /** By how much better than the frontier it is expected to be, ≥ 0 is better; null under rules without belief. */
  gain: finite.nullable(),
  /** Run-to-run standard deviation that it was judged by. */
  sd: finite.nullable(),
  /** The guard that forbade the adoption, in words. */
  veto: z.string().nullable(),
  /** Beliefs about true scores after it: of the candidate (`own`) and of its parent. */
  nodes: z.array(node.extend({ of: z.enum(['own', 'parent']) })),
  likelihoods: z.array(finite),
  noise,
  /** Score and runs behind it that the candidate stands for if it is adopted. */
  standing: z.object({ score: finite, runs: z.number().int() }),
});
export type DecisionResult = z.infer<typeof decisionResultSchema>;

/** What a decision says of the true score of a trial that it touches: its own, or else its parent's. */
export function beliefIn(
  decision: { trial: number; result: Pick<DecisionResult, 'nodes'> },
  trial: number,
): { mean: number; variance: number } | null {
  const of = decision.trial === trial ? 'own' : 'parent';
  const found = decision.result.nodes.find((each) => each.of === of);
  return found === undefined ? null : { mean: found.mean, variance: found.variance };
}
