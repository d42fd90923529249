import { ANY_SIZE, EFFECT_POINTS } from '../belief/effects.js';

/**
 * An effect of any size at all, evenly likely within this many standard deviations of a run: an edit may change a score
 * by hundreds of them, or the task may have no noise to speak of.
 */
const LARGEST_SD = 1000;

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
  return {
    sd,
    effects: Float64Array.from(EFFECT_POINTS, ({ effect }) => sd * effect),
    component: Int32Array.from(EFFECT_POINTS, ({ component }) => component),
    share: Float64Array.from(EFFECT_POINTS, ({ share }) => share),
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
