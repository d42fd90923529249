import { meanOf } from '../../domain/decision/noise.js';
import type { Node } from '../../domain/decision/v1/posterior.js';
import type { InputsV1 } from '../../domain/decision/v1/record.js';
import { decideByV1, knowledgeAfterV1 } from '../../domain/decision/v1/rules.js';
import { START } from '../../domain/keys.js';
import type { DecisionDocument, DecisionV1Document } from '../documents/decision.js';
import { frontierAfter, placeAfter } from './decision-place.js';
import type { Candidate } from './candidate.js';

/** Decisions by the first version of the rules: a campaign that began with it ends with it. */

type BeliefOf = (trial: number) => Promise<Node | null>;

export async function inputsV1Of(
  candidate: Candidate,
  last: DecisionV1Document | null,
  knowledge: DecisionV1Document['knowledge'] | null,
  beliefOf: BeliefOf,
): Promise<InputsV1> {
  const { direction, metric, scores, replicates, eligible, shared, guards, rule } = candidate;
  const frontier = last?.frontier ?? null;
  const parent = candidate.parent ?? START;
  const beliefs =
    rule === 'posterior' && frontier !== null
      ? await beliefsOf(parent, frontier.trial, beliefOf)
      : { parent: null, frontierNode: null };
  // a score under the parent's training cannot be compared with the belief about another recipe
  const paired = beliefs.parent === null || beliefs.parent.trial === parent;
  return {
    direction,
    metric,
    scores: [...scores],
    replicates: [...replicates],
    score: meanOf(scores),
    eligible,
    shared: paired ? shared : null,
    guards: [...guards],
    frontier,
    knowledge,
    ...beliefs,
  };
}

/**
 * Reads the beliefs that a candidate is decided with. A parent without one uses the belief about the frontier.
 */
async function beliefsOf(
  parent: number,
  frontier: number,
  beliefOf: BeliefOf,
): Promise<Pick<InputsV1, 'parent' | 'frontierNode'>> {
  const own = parent === frontier ? null : await beliefOf(parent);
  const best = await beliefOf(frontier);
  if (own === null)
    return { parent: best === null ? null : { trial: frontier, ...best }, frontierNode: null };
  return { parent: { trial: parent, ...own }, frontierNode: best };
}

/** Makes the decision that follows the last one; equal inputs give an equal decision, except for its time. */
export function decisionV1On(
  { owner, trial, rule }: Pick<DecisionV1Document, 'owner' | 'trial' | 'rule'>,
  inputs: InputsV1,
  last: Pick<DecisionDocument, 'sequence'> | null,
): DecisionV1Document {
  const result = decideByV1(rule, inputs);
  const place = placeAfter(owner, trial, last);
  const parent = inputs.parent?.trial ?? null;
  const touches = result.nodes.flatMap(({ of }) =>
    of === 'own' ? [trial] : parent === null ? [] : [parent],
  );
  return {
    ...place,
    version: 1,
    rule,
    inputs,
    result,
    frontier: frontierAfter(trial, place.sequence, inputs, result),
    knowledge: knowledgeAfterV1(inputs, result),
    touches,
    at: new Date(),
  };
}
