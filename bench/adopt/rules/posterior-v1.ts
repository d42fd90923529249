import { weightsAfter } from '../../../src/domain/decision/belief/effect-learning.js';
import { meanOf } from '../../../src/domain/decision/noise.js';
import type { Frontier } from '../../../src/domain/decision/records/shared-record.js';
import type { Node } from '../../../src/domain/decision/v1/posterior.js';
import type { InputsV1, KnowledgeV1, ResultV1 } from '../../../src/domain/decision/v1/record.js';
import { decideByV1, knowledgeAfterV1, wantsAnotherRunV1 } from '../../../src/domain/decision/v1/rules.js';
import {
  START_TRIAL,
  type SimulatedCandidate,
  type SimulatedRule,
  type SimulatedVerdict,
} from '../campaign.js';

interface Decided {
  sequence: number;
  rule: 'posterior';
  result: ResultV1;
  knowledge: KnowledgeV1;
}

/** The product's rule `posterior` in its first version: one noise for the whole campaign, beliefs of single recipes. */
export class PosteriorV1 implements SimulatedRule {
  readonly calibration = 8;
  private readonly decisions: Decided[] = [];
  private readonly beliefs = new Map<number, Node>();
  private frontier: Frontier | null = null;

  begin(scores: readonly number[]): void {
    const inputs = this.inputs(scores, START_TRIAL);
    this.record(START_TRIAL, inputs, decideByV1('posterior', inputs));
  }

  judge({ trial, parent, scores, mayRepeat }: SimulatedCandidate): SimulatedVerdict {
    const inputs = this.inputs(scores, parent);
    if (mayRepeat && wantsAnotherRunV1('posterior', inputs, this.calibration)) return 'again';
    const result = decideByV1('posterior', inputs);
    this.record(trial, inputs, result);
    return result.adopt ? 'adopt' : 'discard';
  }

  believed(frontier: number): number {
    return this.beliefs.get(frontier)?.mean ?? NaN;
  }

  private inputs(scores: readonly number[], parent: number): InputsV1 {
    const { frontier } = this;
    const last = this.decisions.at(-1);
    const believed = this.beliefs.get(parent);
    return {
      direction: 'minimize',
      metric: 'score',
      scores: [...scores],
      replicates: scores.map((_, i) => `r${i}`),
      score: meanOf(scores),
      eligible: true,
      shared: null,
      guards: [],
      frontier,
      knowledge:
        last === undefined ? null : { ...last.knowledge, weights: weightsAfter(last, this.decisions) },
      parent: believed === undefined ? null : { trial: parent, ...believed },
      frontierNode:
        frontier === null || frontier.trial === parent ? null : (this.beliefs.get(frontier.trial) ?? null),
    };
  }

  private record(trial: number, inputs: InputsV1, result: ResultV1): void {
    const sequence = this.decisions.length + 1;
    this.decisions.push({ sequence, rule: 'posterior', result, knowledge: knowledgeAfterV1(inputs, result) });
    for (const { of, mean, variance } of result.nodes)
      this.beliefs.set(of === 'own' ? trial : (inputs.parent?.trial ?? trial), { mean, variance });
    if (!result.adopt) return;
    const version = (inputs.frontier?.version ?? 0) + 1;
    this.frontier = { trial, version, sequence, ...result.standing, eligible: true };
  }
}
