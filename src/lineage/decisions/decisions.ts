import type { Db } from 'mongodb';
import { LEARN_FROM, learnsAfter, weightsAfter } from '../../domain/decision/belief/effect-learning.js';
import { meanOf } from '../../domain/decision/noise.js';
import type { DecisionInputs } from '../../domain/decision/records/record.js';
import { decideBy, wantsAnotherRun } from '../../domain/decision/rules.js';
import type { Node } from '../../domain/decision/v1/posterior.js';
import { beliefIn } from '../../domain/decision/v1/record.js';
import { wantsAnotherRunV1 } from '../../domain/decision/v1/rules.js';
import { AssayError } from '../../domain/errors.js';
import { trialKey } from '../../domain/keys.js';
import {
  decisionDocument,
  estimateIn,
  likelihoodDocument,
  type DecisionDocument,
  type DecisionV1Document,
  type DecisionV2Document,
} from '../documents/decision.js';
import type { Candidate } from './candidate.js';
import { frontierAfter, keyOf, placeAfter } from './decision-place.js';
import { decisionV1On, inputsV1Of } from './decisions-v1.js';
import { KINDS } from '../document-kinds.js';
import { TypedCollection } from '../typed-collection.js';

/**
 * Decisions of a campaign in one sequence, the last of which names the frontier. Inserting decision n+1 under its
 * unique key is the compare-and-set, so a decision and its effect are one write.
 */
export class Decisions {
  private readonly collection;
  private readonly likelihoods;

  constructor(database: Db) {
    this.collection = new TypedCollection(database, KINDS.decisions);
    this.likelihoods = new TypedCollection(database, { ...KINDS.decisions, schema: likelihoodDocument });
  }

  /**
   * Finds the last decision, or null before the start is measured. Sequences have no gaps, so it is searched for.
   */
  async last(owner: string): Promise<DecisionDocument | null> {
    let last: DecisionDocument | null = null;
    let known = 0;
    let step = 1;
    for (;;) {
      const next = await this.collection.get(keyOf(owner, known + step));
      if (next !== null) {
        last = next;
        known += step;
        step *= 2;
      } else if (step === 1) {
        return last;
      } else {
        step = Math.floor(step / 2);
      }
    }
  }

  /** Finds the adoption of the current frontier, or null before the start is measured. */
  async frontier(owner: string): Promise<DecisionDocument | null> {
    const last = await this.last(owner);
    if (last === null || last.result.adopt) return last;
    return this.collection.require(keyOf(owner, last.frontier.sequence));
  }

  /** Returns the given adoption and those before it, newest first. */
  async chain(from: DecisionDocument, length: number): Promise<DecisionDocument[]> {
    const chain = [from];
    for (let next = from.inputs.frontier; next !== null && chain.length < length;) {
      const adoption = await this.collection.require(keyOf(from.owner, next.sequence));
      chain.push(adoption);
      next = adoption.inputs.frontier;
    }
    return chain;
  }

  async of(owner: string, trial: number): Promise<DecisionDocument | null> {
    return this.collection.find({ decides: trialKey(owner, trial) });
  }

  /** Reads decisions by their ids, in no order. */
  async many(ids: readonly string[]): Promise<DecisionDocument[]> {
    return this.collection.many(ids);
  }

  /** Reads decisions from a sequence number on, in order. */
  async from(owner: string, sequence: number, limit: number): Promise<DecisionDocument[]> {
    const filter = { owner, sequence: { $gte: sequence } } as const;
    return this.collection.list(filter, { sort: { sequence: 1 }, limit });
  }

  /**
   * Reads the current belief about the true score of a trial that candidates may build on; null if there is none.
   */
  async believed(owner: string, trial: number): Promise<{ mean: number; sd: number } | null> {
    const last = await this.last(owner);
    if (last === null) return null;
    if (last.version === 2) return estimateIn(last, trial);
    const node = await this.beliefV1(owner, trial);
    return node === null ? null : { mean: node.mean, sd: Math.sqrt(node.variance) };
  }

  /**
   * Decides a trial once, or returns that it should be measured once more. A retry finds the earlier decision; one
   * that another decision has overtaken decides again from the new state.
   */
  async decide(candidate: Candidate): Promise<DecisionDocument | 'again'> {
    const { owner, trial } = candidate;
    for (;;) {
      const made = await this.of(owner, trial);
      if (made !== null) return made;
      const last = await this.last(owner);
      const next =
        candidate.ruleVersion === 1 ? await this.nextV1(candidate, last) : await this.next(candidate, last);
      if (next === 'again') return 'again';
      // a decision that cannot be read back would leave the campaign without a last one
      await this.collection.insertOnce(decisionDocument.parse(next));
    }
  }

  private async next(
    candidate: Candidate,
    last: DecisionDocument | null,
  ): Promise<DecisionV2Document | 'again'> {
    if (last !== null && last.version !== 2) throw mixed(last);
    const knowledge = last === null ? null : { ...last.knowledge, weights: await this.weightsAt(last) };
    const seedOnly = await candidate.seedOnly(last?.frontier.trial ?? null);
    const inputs = inputsOf(candidate, last, knowledge, seedOnly);
    const { rule, calibration, mayRepeat } = candidate;
    if (mayRepeat && wantsAnotherRun(rule, inputs, calibration)) return 'again';
    return decisionOn(candidate, inputs, last);
  }

  private async nextV1(
    candidate: Candidate,
    last: DecisionDocument | null,
  ): Promise<DecisionV1Document | 'again'> {
    if (last !== null && last.version !== 1) throw mixed(last);
    const knowledge = last === null ? null : { ...last.knowledge, weights: await this.weightsAt(last) };
    const inputs = await inputsV1Of(candidate, last, knowledge, (of) => this.beliefV1(candidate.owner, of));
    const { rule, calibration, mayRepeat } = candidate;
    if (mayRepeat && wantsAnotherRunV1(rule, inputs, calibration)) return 'again';
    return decisionV1On(candidate, inputs, last);
  }

  private async beliefV1(owner: string, trial: number): Promise<Node | null> {
    const [found] = await this.collection.list(
      { owner, touches: trial },
      { sort: { sequence: -1 }, limit: 1 },
    );
    return found?.version === 1 ? beliefIn(found, trial) : null;
  }

  private async weightsAt(last: DecisionDocument): Promise<number[]> {
    if (!learnsAfter(last)) return last.knowledge.weights;
    const { owner, sequence } = last;
    const filter = { owner, sequence: { $gt: sequence - LEARN_FROM, $lte: sequence } } as const;
    const rows = await this.likelihoods.list(filter, {
      limit: LEARN_FROM,
      fields: ['sequence', 'result.likelihoods'],
    });
    return weightsAfter(
      last,
      rows.sort((a, b) => a.sequence - b.sequence),
    );
  }
}

const mixed = ({ owner, version }: DecisionDocument): AssayError =>
  new AssayError(
    'INTERNAL',
    `the decisions of ${owner} are of version ${version} of the rules, and it asks for another`,
  );

function inputsOf(
  candidate: Candidate,
  last: DecisionV2Document | null,
  knowledge: DecisionV2Document['knowledge'] | null,
  seedOnly: boolean,
): DecisionInputs {
  const { direction, metric, scores, replicates, eligible, guards } = candidate;
  return {
    direction,
    metric,
    scores: [...scores],
    replicates: [...replicates],
    score: meanOf(scores),
    eligible,
    shared: candidate.shared,
    alike: candidate.alike,
    seedOnly,
    deterministic: candidate.deterministic,
    guards: [...guards],
    frontier: last?.frontier ?? null,
    knowledge,
    parent: candidate.parent,
    open: [...new Set(candidate.open)].sort((a, b) => a - b),
    askedRuns: candidate.askedRuns,
    noiseValue: candidate.noiseValue,
  };
}

/** Makes the decision that follows the last one; equal inputs give an equal decision, except for its time. */
export function decisionOn(
  { owner, trial, rule }: Pick<Candidate, 'owner' | 'trial' | 'rule'>,
  inputs: DecisionInputs,
  last: Pick<DecisionDocument, 'sequence'> | null,
): DecisionV2Document {
  const { result, knowledge } = decideBy(rule, trial, inputs);
  const place = placeAfter(owner, trial, last);
  const frontier = frontierAfter(trial, place.sequence, inputs, result);
  return { ...place, version: 2, rule, inputs, result, frontier, knowledge, at: new Date() };
}
