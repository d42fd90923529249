import type { Believed, LessonFacts } from '../domain/decision/lesson.js';
import type { DecisionDocument } from './decision-documents.js';

/** Reads from a stored decision what people and agents are told of it; what rests on an unknown noise is left out. */
export function lessonFacts(decision: DecisionDocument): LessonFacts {
  const { rule, inputs, result } = decision;
  const { direction, scores, score, frontier, parent, frontierNode, shared } = inputs;
  const known = knowsNoise(decision);
  const believes = known && rule === 'posterior';
  return {
    rule,
    direction,
    adopt: result.adopt,
    frontier:
      frontier === null
        ? null
        : {
            trial: frontier.trial,
            score: frontier.score,
            runs: frontier.runs,
            eligible: frontier.eligible,
            believed: believes ? believedOf(frontierNode ?? parent) : null,
          },
    parent: parent?.trial ?? null,
    scores,
    mean: score,
    delta: result.delta,
    gain: believes ? result.gain : null,
    believedOwn: believes ? believedOf(result.nodes.find(({ of }) => of === 'own') ?? null) : null,
    spread: known && result.sd !== null ? { sd: result.sd, runs: null, trials: null, since: null } : null,
    paired: shared !== null,
    veto: result.veto,
    barred: null,
    alike: false,
    deterministic: false,
  };
}

/** True where a decision was judged by a noise with degrees of freedom. */
const knowsNoise = ({ inputs, result }: DecisionDocument): boolean =>
  (inputs.knowledge?.noise ?? result.noise).degrees > 0;

const believedOf = (node: { mean: number; variance: number } | null): Believed | null =>
  node === null ? null : { mean: node.mean, sd: Math.sqrt(node.variance) };
