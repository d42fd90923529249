/**
 * What an edit may do to the true score of a recipe, before it was measured: nothing, a gain, or harm, each at
 * several scales. Costs throughout: lower is better, so a gain is a negative effect; who maximises negates.
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

const GENERIC: readonly Component[] = [
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

/** Points of each exponential: the middles of this many equally likely parts. */
const POINTS = 12;

/**
 * Beside them, an effect of any size at all, evenly likely within this many standard deviations of a run: an edit may
 * change a score by hundreds of them, or the task may have no noise to speak of.
 */
const LARGEST_SD = 1000;
const ANY_SIZE_WEIGHT = 0.01;

/** The weights of the components, any size last, before a campaign has taught anything; they sum to 1. */
export const GENERIC_WEIGHTS: readonly number[] = normalised([
  ...GENERIC.map(({ weight }) => weight),
  ANY_SIZE_WEIGHT,
]);
const ANY_SIZE = GENERIC.length;

/** Nodes and weights of a Gauss–Hermite rule for the standard normal distribution (probabilists' form, 7 points). */
export const NORMAL_RULE: readonly (readonly [number, number])[] = [
  [-3.750439717725742, 0.000548268855972218],
  [-2.366759410734541, 0.030757123967586497],
  [-1.154405394739968, 0.240123178605013],
  [0, 0.457142857142857],
  [1.154405394739968, 0.240123178605013],
  [2.366759410734541, 0.030757123967586497],
  [3.750439717725742, 0.000548268855972218],
];

/** The effects of known scales: which there are, and how their probability is spread. */
export interface EffectGrid {
  /** Run-to-run standard deviation that the scales refer to, in the metric's unit. */
  readonly sd: number;
  readonly effects: Float64Array;
  readonly component: Int32Array;
  /** Share of its component that a point stands for. */
  readonly share: Float64Array;
}

/** @param sd run-to-run standard deviation of the score, > 0 */
export function effectGrid(sd: number): EffectGrid {
  const points = GENERIC.flatMap(({ sign, scale }, component) => {
    const count = sign === 0 ? 1 : POINTS;
    return Array.from({ length: count }, (_, i) => ({
      effect: sign === 0 ? 0 : -sign * scale * sd * Math.log(1 - (i + 0.5) / count),
      component,
      share: 1 / count,
    }));
  });
  return {
    sd,
    effects: Float64Array.from(points, ({ effect }) => effect),
    component: Int32Array.from(points, ({ component }) => component),
    share: Float64Array.from(points, ({ share }) => share),
  };
}

/** Effects with their probabilities, after a measurement. */
export interface Effects {
  effects: Float64Array;
  p: Float64Array;
}

/**
 * What is believed of an effect that was measured.
 * @param off the measured difference to the parent, as a cost
 * @param variance of that measurement, in the metric's unit squared
 */
export function effectsAfter(
  { sd, effects, component, share }: EffectGrid,
  weights: readonly number[],
  off: number,
  variance: number,
): Effects {
  const known = effects.length;
  const found = {
    effects: new Float64Array(known + NORMAL_RULE.length),
    p: new Float64Array(known + NORMAL_RULE.length),
  };
  const spread = Math.sqrt(variance);
  let total = 0;
  for (let i = 0; i < known; i += 1) {
    const effect = effects[i] ?? 0;
    const z = (off - effect) / spread;
    const value = (weights[component[i] ?? 0] ?? 0) * (share[i] ?? 0) * Math.exp(-0.5 * z * z);
    found.effects[i] = effect;
    found.p[i] = value;
    total += value;
  }
  const anySize = (weights[ANY_SIZE] ?? 0) * anySizeDensity(sd) * spread;
  NORMAL_RULE.forEach(([at, weight], j) => {
    found.effects[known + j] = off + spread * at;
    found.p[known + j] = anySize * weight;
    total += anySize * weight;
  });
  for (let i = 0; i < found.p.length; i += 1) found.p[i] = (found.p[i] ?? 0) / total;
  return found;
}

/** Its density, on the scale of exp(−z²/2) / standard deviation. */
const anySizeDensity = (sd: number): number => Math.sqrt(2 * Math.PI) / (2 * LARGEST_SD * sd);

/** How likely a measured difference is under each component, on a common scale, for learning the weights. */
export function componentLikelihoods(
  { sd, effects, component, share }: EffectGrid,
  off: number,
  variance: number,
): number[] {
  const found = new Array<number>(ANY_SIZE + 1).fill(0);
  const spread = Math.sqrt(variance);
  effects.forEach((effect, i) => {
    const z = (off - effect) / spread;
    const at = component[i] ?? 0;
    found[at] = (found[at] ?? 0) + ((share[i] ?? 0) * Math.exp(-0.5 * z * z)) / spread;
  });
  found[ANY_SIZE] = anySizeDensity(sd);
  return found;
}

/** How much a campaign's trials count against the generic weights: as if this many trials had shown those. */
const PSEUDO_TRIALS = 20;
const ROUNDS = 8;

/**
 * Weights after a campaign's trials, by expectation maximisation towards the generic ones.
 * @param likelihoods for each trial, how likely its scores are under each component
 */
export function learnedWeights(
  before: readonly number[],
  likelihoods: readonly (readonly number[])[],
): number[] {
  let weights = [...before];
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
