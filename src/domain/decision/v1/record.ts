import { z } from 'zod';
import { finite } from '../../trial/evaluation.js';
import { frontierSchema, guardSchema } from '../records/shared-record.js';

const noiseSchema = z.object({ squares: finite, degrees: z.number().int() });
const node = z.object({ mean: finite, variance: finite });
/** What a campaign knows of its metric, carried from decision to decision. */
export const knowledgeV1Schema = z.object({
  noise: noiseSchema,
  /** Weights of the components of effects. */
  weights: z.array(finite),
  /** Runs that decisions have used. */
  runs: z.number().int(),
  /** Mean of the start's runs. */
  startScore: finite,
});
export type KnowledgeV1 = z.infer<typeof knowledgeV1Schema>;

/** Everything that a decision uses; stored with it, so that it can be recomputed. Scores in the metric's unit. */
export const inputsV1Schema = z.object({
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
  guards: z.array(guardSchema),
  /** As it was before; null for the start itself. */
  frontier: frontierSchema.nullable(),
  knowledge: knowledgeV1Schema.nullable(),
  /** What is believed of the parent's true score; null under rules that do not use it. */
  parent: node.extend({ trial: z.number().int() }).nullable(),
  /** The same of the frontier's; null where it is the parent. */
  frontierNode: node.nullable(),
});
export type InputsV1 = z.infer<typeof inputsV1Schema>;

export const resultV1Schema = z.object({
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
  noise: noiseSchema,
  /** Score and runs behind it that the candidate stands for if it is adopted. */
  standing: z.object({ score: finite, runs: z.number().int() }),
});
export type ResultV1 = z.infer<typeof resultV1Schema>;

/** What a decision says of the true score of a trial that it touches: its own, or else its parent's. */
export function beliefIn(
  decision: { trial: number; result: Pick<ResultV1, 'nodes'> },
  trial: number,
): { mean: number; variance: number } | null {
  const of = decision.trial === trial ? 'own' : 'parent';
  const found = decision.result.nodes.find((each) => each.of === of);
  return found === undefined ? null : { mean: found.mean, variance: found.variance };
}
