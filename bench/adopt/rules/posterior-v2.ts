import { weightsAfter } from '../../../src/domain/decision/belief/effect-learning.js';
import { meanOf } from '../../../src/domain/decision/noise.js';
import type { DecisionInputs } from '../../../src/domain/decision/records/record.js';
import { decideBy, wantsAnotherRun } from '../../../src/domain/decision/rules.js';
import type { Frontier } from '../../../src/domain/decision/records/shared-record.js';
import type { Decided } from '../../../src/domain/decision/records/decision-record.js';
import {
  START_TRIAL,
  type SimulatedCandidate,
  type SimulatedRule,
  type SimulatedVerdict,
} from '../campaign.js';

/** The product's rule `posterior`: noise by the family of recipes, one joint belief about all open recipes. */
export class PosteriorV2 implements SimulatedRule {
  readonly calibration = 8;
  private readonly decisions: (Decided & { sequence: number; rule: 'posterior' })[] = [];
  private frontier: Frontier | null = null;

  begin(scores: readonly number[]): void {
    const inputs = this.inputs({ scores, parent: null, open: [] });
    this.record(START_TRIAL, inputs);
  }

  judge({ trial, mayRepeat, ...candidate }: SimulatedCandidate): SimulatedVerdict {
    const inputs = this.inputs(candidate);
    if (mayRepeat && wantsAnotherRun('posterior', inputs, this.calibration)) return 'again';
    return this.record(trial, inputs) ? 'adopt' : 'discard';
  }

  believed(frontier: number): number {
    const believed = this.decisions.at(-1)?.result.believed ?? [];
    return believed.find(({ trial }) => trial === frontier)?.mean ?? NaN;
  }

  private inputs({
    scores,
    parent,
    open,
  }: Pick<SimulatedCandidate, 'scores' | 'open'> & { parent: number | null }): DecisionInputs {
    const last = this.decisions.at(-1);
    return {
      direction: 'minimize',
      metric: 'score',
      scores: [...scores],
      replicates: scores.map((_, i) => `r${i}`),
      score: meanOf(scores),
      eligible: true,
      shared: null,
      alike: false,
      seedOnly: false,
      deterministic: false,
      guards: [],
      frontier: this.frontier,
      knowledge:
        last === undefined ? null : { ...last.knowledge, weights: weightsAfter(last, this.decisions) },
      parent,
      open: [...open],
      askedRuns: null,
      noiseValue: 0,
    };
  }

  /** Returns whether the trial was adopted. */
  private record(trial: number, inputs: DecisionInputs): boolean {
    const sequence = this.decisions.length + 1;
    const { result, knowledge } = decideBy('posterior', trial, inputs);
    this.decisions.push({ sequence, rule: 'posterior', result, knowledge });
    if (!result.adopt) return false;
    const version = (inputs.frontier?.version ?? 0) + 1;
    this.frontier = { trial, version, sequence, ...result.standing, eligible: true };
    return true;
  }
}
