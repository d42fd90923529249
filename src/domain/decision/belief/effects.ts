/**
 * What an edit may do to the true score of a recipe, before it was measured: nothing, a gain, or harm, each at
 * several scales, or anything at all. Costs throughout: lower is better, so a gain is a negative effect; who maximises
 * negates.
 *
 * Scales are in units of the run-to-run standard deviation, and the weights are those of a generic search in which
 * two of three edits do nothing. A campaign learns its own from its trials.
 */
interface Component {
  /** −1 gain, 0 nothing, +1 harm. */
  sign: -1 | 0 | 1;
  /** Mean of the exponential, in standard deviations of a run. */
  scale: number;
  weight: number;
}

export const COMPONENTS: readonly Component[] = [
  { sign: 0, scale: 0, weight: 0.66 },
  { sign: -1, scale: 0.5, weight: 0.02 },
  { sign: -1, scale: 1, weight: 0.03 },
  { sign: -1, scale: 2, weight: 0.02 },
  { sign: -1, scale: 4, weight: 0.01 },
  { sign: -1, scale: 12, weight: 0.005 },
  { sign: 1, scale: 0.5, weight: 0.04 },
  { sign: 1, scale: 1, weight: 0.05 },
  { sign: 1, scale: 4, weight: 0.08 },
  { sign: 1, scale: 16, weight: 0.05 },
  { sign: 1, scale: 64, weight: 0.02 },
];

/** Beside them an effect of any size: an edit may change a score by hundreds of standard deviations. */
const ANY_SIZE_WEIGHT = 0.01;
export const ANY_SIZE = COMPONENTS.length;

/** The weights of the components, any size last, before a campaign has taught anything; they sum to 1. */
export const GENERIC_WEIGHTS: readonly number[] = normalised([
  ...COMPONENTS.map(({ weight }) => weight),
  ANY_SIZE_WEIGHT,
]);

/** Points of each exponential: the middles of this many equally likely parts. */
const POINTS = 12;

/** An effect of a known scale, in standard deviations of a run. */
export interface EffectPoint {
  effect: number;
  component: number;
  /** Share of its component that it stands for. */
  share: number;
}

export const EFFECT_POINTS: readonly EffectPoint[] = COMPONENTS.flatMap(({ sign, scale }, component) => {
  const count = sign === 0 ? 1 : POINTS;
  return Array.from({ length: count }, (_, i) => ({
    effect: sign === 0 ? 0 : -sign * scale * Math.log(1 - (i + 0.5) / count),
    component,
    share: 1 / count,
  }));
});

/** How much a campaign's trials count against the generic weights: as if this many trials had shown those. */
const PSEUDO_TRIALS = 20;
const ROUNDS = 8;

/**
 * Weights after a campaign's trials, by expectation maximisation towards the generic ones.
 * @param likelihoods for each trial, how likely its scores are under each component
 */
export function learnedWeights(likelihoods: readonly (readonly number[])[]): number[] {
  let weights = [...GENERIC_WEIGHTS];
  for (let round = 0; round < ROUNDS; round += 1) {
    const sums = GENERIC_WEIGHTS.map((weight) => PSEUDO_TRIALS * weight);
    for (const row of likelihoods) {
      const joint = row.map((likelihood, i) => likelihood * (weights[i] ?? 0) + Number.MIN_VALUE);
      const total = joint.reduce((sum, value) => sum + value, 0);
      joint.forEach((value, i) => (sums[i] = (sums[i] ?? 0) + value / total));
    }
    weights = normalised(sums);
  }
  return weights;
}

function normalised(values: readonly number[]): number[] {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}
