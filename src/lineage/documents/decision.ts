import { z } from 'zod';
import {
  decisionInputsSchema,
  decisionResultSchema,
  frontierSchema,
  knowledgeSchema,
  ruleSchema,
} from '../../domain/decision/records/record.js';
import {
  beliefIn,
  inputsV1Schema,
  knowledgeV1Schema,
  resultV1Schema,
} from '../../domain/decision/v1/record.js';
import { finite } from '../../domain/trial/evaluation.js';

const common = {
  _id: z.string(),
  owner: z.string(),
  /** Trial that is decided, once. */
  decides: z.string(),
  trial: z.number().int(),
  sequence: z.number().int(),
  rule: ruleSchema,
  /** Frontier after it. */
  frontier: frontierSchema,
  at: z.date(),
};

/** A decision by the first rules of assay; these documents name no version. */
export const decisionV1Document = z.object({
  ...common,
  version: z.literal(1).default(1),
  inputs: inputsV1Schema,
  result: resultV1Schema,
  knowledge: knowledgeV1Schema,
  /** Trials whose true scores it estimates. */
  touches: z.array(z.number().int()),
});
export type DecisionV1Document = z.infer<typeof decisionV1Document>;

export const decisionV2Document = z.object({
  ...common,
  version: z.literal(2),
  inputs: decisionInputsSchema,
  result: decisionResultSchema,
  /** Knowledge of the campaign after it. */
  knowledge: knowledgeSchema,
});
export type DecisionV2Document = z.infer<typeof decisionV2Document>;

/**
 * Decision; inserted once and never changed. Their sequence has no gaps, and the last one names the frontier. All
 * decisions of a campaign have one version.
 */
export const decisionDocument = z.union([decisionV2Document, decisionV1Document]);
export type DecisionDocument = DecisionV1Document | DecisionV2Document;

/** Part of a decision that learning reads. */
export const likelihoodDocument = z.object({
  _id: z.string(),
  sequence: z.number().int(),
  result: z.object({ likelihoods: z.array(finite) }),
});

/**
 * Returns a decision's estimate of the true score of a trial, in the metric's unit; null where it has none.
 */
export function estimateIn(decision: DecisionDocument, trial: number): { mean: number; sd: number } | null {
  if (decision.version === 2) {
    if (decision.trial === trial && decision.result.own !== null) return decision.result.own;
    const found = decision.result.believed.find((one) => one.trial === trial);
    return found === undefined ? null : { mean: found.mean, sd: found.sd };
  }
  const found = decision.touches.includes(trial) ? beliefIn(decision, trial) : null;
  return found === null ? null : { mean: found.mean, sd: Math.sqrt(found.variance) };
}
