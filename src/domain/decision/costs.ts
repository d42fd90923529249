import { isBetter } from '../task/task.js';
import { believedOf, type Beliefs } from './belief/beliefs.js';
import type { Scores } from './belief/look.js';
import { meanOf, squaresOf } from './noise.js';
import type { Candidate } from './belief/posterior.js';
import type { DecisionInputs, Knowledge } from './records/record.js';
import type { Frontier } from './records/shared-record.js';
import { typicalSd } from './belief/spread.js';

/** A score as a cost, and back: lower is better. */
export const costOf = ({ direction }: Pick<DecisionInputs, 'direction'>, score: number): number =>
  direction === 'minimize' ? score : 0 - score;

/** Runs that are the same measurement whatever their seed count as one: their mean. */
export const distinctScores = ({ scores, score, alike }: DecisionInputs): readonly number[] =>
  alike ? [score] : scores;

/**
 * A difference larger than this counts as so large: a recipe may score 1e300, and must not thereby leave something that
 * is not a number.
 */
const FARTHEST_UNITS = 1e15;

/** A difference of costs, bounded by what a belief can hold. */
export function boundedDifference(a: number, b: number, { unit }: Pick<Beliefs, 'unit'>): number {
  return Math.min(Math.max(a - b, -FARTHEST_UNITS * unit), FARTHEST_UNITS * unit);
}

/** The scores of a candidate, as costs. */
export function scoresOf(inputs: DecisionInputs, frontier: Frontier, beliefs: Beliefs): Scores {
  const middle = believedOf(beliefs, frontier.trial)?.mean ?? costOf(inputs, frontier.score);
  const costs = distinctScores(inputs).map(
    (one) => middle + boundedDifference(costOf(inputs, one), middle, beliefs),
  );
  return { mean: meanOf(costs), squares: squaresOf(costs), count: costs.length };
}

/** Whether it measured better than the frontier has. */
export function improves({ direction, score }: DecisionInputs, frontier: Frontier): boolean {
  return isBetter(direction, score, frontier.score);
}

/** What the rule `threshold` compares. */
export function costsOf(inputs: DecisionInputs, frontier: Frontier, beliefs: Beliefs) {
  const scores = distinctScores(inputs).map((score) => costOf(inputs, score));
  return {
    scores,
    fresh: inputs.askedRuns === null ? scores.slice(1) : scores,
    reference: costOf(inputs, frontier.score),
    referenceRuns: frontier.runs,
    sd: typicalSd(beliefs),
  };
}

/** What the rule `posterior` judges a candidate by. */
export function candidateOf(
  inputs: DecisionInputs,
  { trial, score, runs }: Frontier,
  { weights }: Knowledge,
  beliefs: Beliefs,
): Candidate {
  return {
    beliefs,
    weights,
    frontier: { trial, mean: costOf(inputs, score), runs },
    parent: inputs.parent ?? trial,
    noiseValue: inputs.noiseValue,
  };
}
