import { isBetter } from '../task.js';
import type { Beliefs } from './beliefs.js';
import type { Scores } from './look.js';
import { meanOf, squaresOf } from './noise.js';
import type { Standing } from './posterior.js';
import type { DecisionInputs, Knowledge } from './record.js';
import type { Frontier } from './shared-record.js';
import { typicalSd } from './spread.js';

/** A score as a cost, and back: lower is better. */
export const costOf = ({ direction }: Pick<DecisionInputs, 'direction'>, score: number): number =>
  direction === 'minimize' ? score : 0 - score;

/** Runs that are equal whatever their seed count as one. */
export const distinctScores = ({ scores, alike }: DecisionInputs): readonly number[] =>
  alike ? scores.slice(0, 1) : scores;

/**
 * A score farther from the frontier than this counts as so far: a recipe may score 1e300, and must not thereby leave
 * something that is not a number.
 */
const FARTHEST_UNITS = 1e15;

/** The scores of a candidate, as costs. */
export function scoresOf(inputs: DecisionInputs, frontier: Frontier, { unit }: Beliefs): Scores {
  const middle = costOf(inputs, frontier.score);
  const costs = distinctScores(inputs).map((one) => {
    const off = costOf(inputs, one) - middle;
    return middle + Math.min(Math.max(off, -FARTHEST_UNITS * unit), FARTHEST_UNITS * unit);
  });
  return { mean: meanOf(costs), squares: squaresOf(costs), count: costs.length };
}

/** Whether it measured better than the frontier has. */
export function improves({ direction, score }: DecisionInputs, frontier: Frontier): boolean {
  return isBetter(direction, score, frontier.score);
}

/** What the rule `threshold` compares. */
export function costsOf(inputs: DecisionInputs, frontier: Frontier, beliefs: Beliefs) {
  return {
    scores: distinctScores(inputs).map((score) => costOf(inputs, score)),
    reference: costOf(inputs, frontier.score),
    referenceRuns: frontier.runs,
    sd: typicalSd(beliefs),
  };
}

/** What the rule `posterior` judges a candidate by. */
export function standingOf(
  inputs: DecisionInputs,
  { trial, score, runs }: Frontier,
  { weights }: Knowledge,
  beliefs: Beliefs,
): Standing {
  return {
    beliefs,
    weights,
    frontier: { trial, mean: costOf(inputs, score), runs },
    parent: inputs.parent ?? trial,
    noiseValue: inputs.noiseValue,
  };
}
