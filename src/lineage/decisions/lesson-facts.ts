import type { Believed, LessonFacts } from '../../domain/decision/lesson.js';
import { isSeedOnly } from '../../domain/decision/rules.js';
import { estimateIn, type DecisionDocument, type DecisionV1Document } from '../documents/decision.js';

/**
 * Reads from a stored decision what people and agents are told; anything that depends on an unknown noise is left
 * out.
 */
export function lessonFacts(decision: DecisionDocument): LessonFacts {
  const { rule, inputs, result } = decision;
  const { direction, scores, score, frontier, shared } = inputs;
  const common = {
    rule,
    direction,
    adopt: result.adopt,
    scores,
    mean: score,
    delta: result.delta,
    paired: shared !== null,
    veto: result.veto,
  };
  const against = (believed: Believed | null): LessonFacts['frontier'] =>
    frontier === null
      ? null
      : {
          trial: frontier.trial,
          score: frontier.score,
          runs: frontier.runs,
          eligible: frontier.eligible,
          believed,
        };
  if (decision.version === 1) return { ...common, ...factsV1(decision, against) };
  const { gain, before, own, spread } = decision.result;
  // the candidate's scores also move the belief about the frontier: the gain is the difference after them
  const now =
    before === null || own === null || gain === null
      ? before
      : { mean: direction === 'minimize' ? own.mean + gain : own.mean - gain, sd: before.sd };
  const { parent, alike, deterministic } = decision.inputs;
  const barred = isSeedOnly(decision.inputs) ? 'seed-only' : null;
  return {
    ...common,
    frontier: against(now),
    parent,
    gain,
    believedOwn: own,
    spread,
    barred,
    alike,
    deterministic,
  };
}

type Told = 'frontier' | 'parent' | 'gain' | 'believedOwn' | 'spread' | 'barred' | 'alike' | 'deterministic';

function factsV1(
  decision: DecisionV1Document,
  against: (believed: Believed | null) => LessonFacts['frontier'],
): Pick<LessonFacts, Told> {
  const { rule, inputs, result, trial } = decision;
  const { parent, frontierNode } = inputs;
  // an estimate without degrees of freedom is not small, it is unknown
  const known = (inputs.knowledge?.noise ?? result.noise).degrees > 0;
  const believes = known && rule === 'posterior';
  return {
    frontier: against(believes ? believedOf(frontierNode ?? parent) : null),
    parent: parent?.trial ?? null,
    gain: believes ? result.gain : null,
    believedOwn: believes ? estimateIn(decision, trial) : null,
    spread: known && result.sd !== null ? { sd: result.sd, runs: null, trials: null, since: null } : null,
    barred: null,
    alike: false,
    deterministic: false,
  };
}

const believedOf = (node: { mean: number; variance: number } | null): Believed | null =>
  node === null ? null : { mean: node.mean, sd: Math.sqrt(node.variance) };
