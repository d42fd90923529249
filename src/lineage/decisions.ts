import type { Db } from 'mongodb';
import { knowledgeFrom, LEARN_FROM, learnsAfter } from '../domain/decision/learning.js';
import {
  beliefIn,
  type DecisionInputs,
  type Frontier,
  type GuardValue,
  type Knowledge,
  type Rule,
} from '../domain/decision/record.js';
import { decideBy, knowledgeAfter, wantsAnotherRun } from '../domain/decision/rules.js';
import { meanOf } from '../domain/decision/noise.js';
import type { Node } from '../domain/decision/posterior.js';
import { START, trialKey } from '../domain/keys.js';
import type { Task } from '../domain/task.js';
import { decisionDocument, type DecisionDocument } from './decision-documents.js';
import { Shelf } from './shelf.js';

/** What a candidate brings to its decision. */
export interface Candidate {
  owner: string;
  trial: number;
  /** null for the start. */
  parent: number | null;
  rule: Rule;
  direction: Task['metric']['direction'];
  metric: string;
  /** One a replicate, in their order. */
  scores: readonly number[];
  replicates: readonly string[];
  eligible: boolean;
  shared: number | null;
  guards: readonly GuardValue[];
  /** Whether its runs count as one: they do not depend on the seed. */
  alike: boolean;
  barred: DecisionInputs['barred'];
  /** Whether one run of a recipe is all there is. */
  deterministic: boolean;
  /** Runs of the start before the search. */
  calibration: number;
  /** Whether one more run of it can be had. */
  mayRepeat: boolean;
}

const keyOf = (owner: string, sequence: number): string => `${owner}/s/${String(sequence).padStart(8, '0')}`;

/**
 * Decisions in one sequence a campaign, and with them the frontier: the last one names it. Inserting decision n+1
 * under its unique key is the compare-and-set, so a decision and its effect are one write.
 */
export class Decisions {
  private readonly shelf;

  constructor(database: Db) {
    this.shelf = new Shelf(database.collection<{ _id: string }>('decisions'), decisionDocument);
  }

  /** The last decision, or null before the start was measured: sequences have no gaps, so it is searched for. */
  async last(owner: string): Promise<DecisionDocument | null> {
    let last: DecisionDocument | null = null;
    let known = 0;
    let step = 1;
    for (;;) {
      const next = await this.shelf.get(keyOf(owner, known + step));
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

  /** The adoption of the present frontier, or null before the start was measured. */
  async frontier(owner: string): Promise<DecisionDocument | null> {
    const last = await this.last(owner);
    if (last === null || last.result.adopt) return last;
    return this.shelf.require(keyOf(owner, last.frontier.sequence));
  }

  /** The given adoption and those before it, newest first. */
  async chain(from: DecisionDocument, length: number): Promise<DecisionDocument[]> {
    const chain = [from];
    for (let next = from.inputs.frontier; next !== null && chain.length < length;) {
      const adoption = await this.shelf.require(keyOf(from.owner, next.sequence));
      chain.push(adoption);
      next = adoption.inputs.frontier;
    }
    return chain;
  }

  async of(owner: string, trial: number): Promise<DecisionDocument | null> {
    return this.shelf.find({ decides: trialKey(owner, trial) });
  }

  /** Decisions from a sequence on, in their order. */
  async from(owner: string, sequence: number, limit: number): Promise<DecisionDocument[]> {
    const filter = { owner, sequence: { $gte: sequence } } as const;
    return this.shelf.list(filter, { sort: { sequence: 1 }, limit });
  }

  /** What is believed of the true score of a trial by now; null where nothing is. */
  async belief(owner: string, trial: number): Promise<Node | null> {
    const [found] = await this.shelf.list({ owner, touches: trial }, { sort: { sequence: -1 }, limit: 1 });
    return found === undefined ? null : beliefIn(found, trial);
  }

  /**
   * Decides a trial once, or says that it should be measured once more. A retry finds the decision it made before;
   * one that another decision has overtaken decides again from what is true then.
   */
  async decide(candidate: Candidate): Promise<DecisionDocument | 'again'> {
    const { owner, trial, rule, calibration, mayRepeat } = candidate;
    for (;;) {
      const made = await this.of(owner, trial);
      if (made !== null) return made;
      const last = await this.last(owner);
      const inputs = await this.inputsOf(candidate, last);
      if (mayRepeat && wantsAnotherRun(rule, inputs, calibration)) return 'again';
      await this.shelf.insertOnce(decisionOn(candidate, inputs, last));
    }
  }

  private async inputsOf(candidate: Candidate, last: DecisionDocument | null): Promise<DecisionInputs> {
    const { owner, direction, metric, scores, replicates, eligible, shared, guards, rule } = candidate;
    const { alike, barred, deterministic } = candidate;
    const frontier = last?.frontier ?? null;
    const parent = candidate.parent ?? START;
    const beliefs =
      rule === 'posterior' && frontier !== null
        ? await this.beliefs(owner, parent, frontier)
        : { parent: null, frontierNode: null };
    // a score under the parent's training says nothing beside what is believed of another recipe
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
      alike,
      barred,
      deterministic,
      frontier,
      knowledge: last === null ? null : await this.knowledgeAt(last),
      ...beliefs,
    };
  }

  /** A parent of which nothing is believed stands on what is believed of the frontier. */
  private async beliefs(
    owner: string,
    parent: number,
    frontier: Frontier,
  ): Promise<Pick<DecisionInputs, 'parent' | 'frontierNode'>> {
    const own = parent === frontier.trial ? null : await this.belief(owner, parent);
    const best = await this.belief(owner, frontier.trial);
    if (own === null)
      return { parent: best === null ? null : { trial: frontier.trial, ...best }, frontierNode: null };
    return { parent: { trial: parent, ...own }, frontierNode: best };
  }

  private async knowledgeAt(last: DecisionDocument): Promise<Knowledge> {
    if (!learnsAfter(last)) return last.knowledge;
    const { owner, sequence } = last;
    return knowledgeFrom(last, await this.from(owner, Math.max(1, sequence - LEARN_FROM + 1), LEARN_FROM));
  }
}

/** The decision on a candidate, which follows the last one; the same from the same inputs, but for its moment. */
export function decisionOn(
  { owner, trial, rule }: Pick<Candidate, 'owner' | 'trial' | 'rule'>,
  inputs: DecisionInputs,
  last: Pick<DecisionDocument, 'sequence'> | null,
): DecisionDocument {
  const result = decideBy(rule, inputs);
  const sequence = (last?.sequence ?? 0) + 1;
  const parent = inputs.parent?.trial ?? null;
  const touches = result.nodes.flatMap(({ of }) =>
    of === 'own' ? [trial] : parent === null ? [] : [parent],
  );
  return {
    _id: keyOf(owner, sequence),
    owner,
    decides: trialKey(owner, trial),
    trial,
    sequence,
    rule,
    inputs,
    result,
    frontier: frontierAfter(trial, sequence, inputs, result),
    knowledge: knowledgeAfter(inputs, result),
    touches,
    at: new Date(),
  };
}

function frontierAfter(
  trial: number,
  sequence: number,
  { frontier, eligible }: DecisionInputs,
  { adopt, standing }: DecisionDocument['result'],
): Frontier {
  if (frontier !== null && !adopt) return frontier;
  return { trial, version: (frontier?.version ?? 0) + 1, sequence, ...standing, eligible };
}
