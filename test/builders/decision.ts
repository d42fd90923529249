import { GENERIC_WEIGHTS } from '../../src/domain/decision/belief/effects.js';
import { meanOf } from '../../src/domain/decision/noise.js';
import { learnsAfter, weightsAfter } from '../../src/domain/decision/belief/effect-learning.js';
import type { DecisionInputs, Knowledge, Rule } from '../../src/domain/decision/records/record.js';
import { decideBy } from '../../src/domain/decision/rules.js';
import type { Decided } from '../../src/domain/decision/records/decision-record.js';
import type { Frontier } from '../../src/domain/decision/records/shared-record.js';

/** Inputs of a start, or of a candidate where `more` gives the state before it. */
export function inputsOf(scores: readonly number[], more: Partial<DecisionInputs> = {}): DecisionInputs {
  return {
    direction: 'minimize',
    metric: 'loss',
    scores: [...scores],
    replicates: [],
    score: meanOf(scores),
    eligible: true,
    shared: null,
    alike: false,
    seedOnly: false,
    deterministic: false,
    guards: [],
    frontier: null,
    knowledge: null,
    parent: null,
    open: [],
    askedRuns: null,
    noiseValue: 0,
    ...more,
  };
}

/** A search as its decisions see it: every candidate follows the one before. */
export class Search {
  knowledge: Knowledge;
  frontier: Frontier;
  readonly decisions: Decided[] = [];
  private next = 1;

  constructor(
    start: readonly number[],
    private readonly rule: Rule = 'posterior',
    private readonly terms: Partial<DecisionInputs> = {},
  ) {
    const inputs = inputsOf(start, terms);
    const { result, knowledge } = decideBy(rule, 0, inputs);
    this.knowledge = knowledge;
    this.frontier = { trial: 0, version: 1, sequence: 1, ...result.standing, eligible: true };
  }

  inputs(scores: readonly number[], more: Partial<DecisionInputs> = {}): DecisionInputs {
    const { frontier, knowledge } = this;
    return inputsOf(scores, { ...this.terms, frontier, knowledge, parent: frontier.trial, ...more });
  }

  /** Returns the decision on a candidate with these scores, without recording it. */
  would(scores: readonly number[], more: Partial<DecisionInputs> = {}): Decided {
    return decideBy(this.rule, this.next, this.inputs(scores, more));
  }

  /** Decides a candidate; returns whether it was adopted. */
  trial(scores: readonly number[], more: Partial<DecisionInputs> = {}): boolean {
    const trial = this.next;
    const made = this.would(scores, more);
    this.next += 1;
    this.decisions.push(made);
    const sequence = this.decisions.length + 1;
    const rows = this.decisions.map(({ result }, i) => ({ sequence: i + 2, result }));
    const last = { sequence, rule: this.rule, knowledge: made.knowledge };
    this.knowledge = learnsAfter(last)
      ? { ...made.knowledge, weights: weightsAfter(last, rows) }
      : made.knowledge;
    const { adopt, standing } = made.result;
    if (adopt)
      this.frontier = { trial, version: this.frontier.version + 1, sequence, ...standing, eligible: true };
    return adopt;
  }

  /** Returns the belief about the frontier, in the metric's unit. */
  believed(): { mean: number; sd: number } {
    const { trial } = this.frontier;
    const last = this.decisions.at(-1) ?? decideBy(this.rule, 0, inputsOf([0]));
    const found = last.result.believed.find((one) => one.trial === trial);
    if (found === undefined) throw new Error('nothing is believed of the frontier');
    return found;
  }
}

/** A frontier at 0 of which much is known, with a noise of about 1. */
export function quietSearch(): Search {
  const start = Array.from({ length: 20 }, (_, i) => Math.sqrt(19 / 20) * (i % 2 === 0 ? 1 : -1));
  return new Search(start);
}

export const generic = (): number[] => [...GENERIC_WEIGHTS];
