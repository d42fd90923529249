import { at, marginal, type Beliefs, type Joint, type Normal } from './beliefs.js';
import { ANY_SIZE, COMPONENTS, EFFECT_POINTS, GENERIC_WEIGHTS } from './effects.js';
import { jumpsFrom, LEVELS, sdOfLevel, typicalSd } from './spread.js';

/** The scores of a candidate so far, as costs. */
export interface Scores {
  mean: number;
  /** Squared deviations from the mean, added up. */
  squares: number;
  count: number;
}

/** One of the ways in which the scores of a candidate may have come about. */
export interface Hypothesis {
  level: number;
  /** Probability before the scores. */
  weight: number;
  /** Noise of the candidate's runs, in the metric's unit. */
  sd: number;
  logWeight: number;
  logSd: number;
  /** What effects are measured in: the noise of the family that the edit began from. */
  unit: number;
  /** Whether the edit changed the noise; then the true scores do not depend on the level. */
  changed: boolean;
  /** The true scores of the recipes before it. */
  joint: Pick<Joint, 'means' | 'covariances'>;
}

/** Places of the two recipes in the beliefs. */
export interface Places {
  parent: number;
  frontier: number;
}

/** An edit changes the noise of its recipe with this probability (shared out by {@link jumpsFrom}). */
export const CHANGES_NOISE = 0.04;

/** Effects of an edit that changes the noise: three of ten are of any size. */
const KNOWN_SHARE = 0.7;
const CHANGED_WEIGHTS: readonly number[] = (() => {
  const known = GENERIC_WEIGHTS.slice(0, ANY_SIZE).map((weight) => KNOWN_SHARE * weight);
  return [...known, 1 - known.reduce((sum, weight) => sum + weight, 0)];
})();

/**
 * Log-uniform: the density of an effect d of any size is 1 / (18.4 |d|), flat below one standard deviation. 18.4 is
 * twice ln(10⁴): four decades on either side.
 */
const ANY_SIZE_RANGE = 18.4;

/** First the levels of the frontier's family, then those that an edit may have led to. */
export function hypothesesOf(beliefs: Beliefs): Hypothesis[] {
  const { unit, lowest, levels } = beliefs;
  const hypothesis = (
    level: number,
    weight: number,
    of: Pick<Hypothesis, 'changed' | 'joint'>,
    scale: number | null,
  ): Hypothesis => {
    const sd = sdOfLevel(unit, level);
    return { level, weight, sd, logWeight: Math.log(weight), logSd: Math.log(sd), unit: scale ?? sd, ...of };
  };
  const same = levels.map((joint) =>
    hypothesis(joint.level, (1 - CHANGES_NOISE) * joint.weight, { changed: false, joint }, null),
  );
  const jumps = levels.map(({ level, weight }) => ({ weight, shares: jumpsFrom(level, lowest) }));
  const joint = marginal(beliefs);
  const typical = typicalSd(beliefs);
  const changed = Array.from({ length: LEVELS }, (_, i) => {
    const weight = jumps.reduce((sum, jump) => sum + jump.weight * at(jump.shares, i), 0);
    return hypothesis(lowest + i, CHANGES_NOISE * weight, { changed: true, joint }, typical);
  });
  return [...same, ...changed];
}

/** What the scores say under one hypothesis. */
export interface Seen {
  hypothesis: Hypothesis;
  /** Logarithm of the probability of hypothesis and scores, up to what is common to all. */
  log: number;
  /** Probability after the scores. */
  p: number;
  /** How much the parent's true score is known better by it: E[x − d − m], and E[(x − d − m)²]. */
  innovation: number;
  secondMoment: number;
  /** Probability that the effect is of a known scale: one of any size teaches nothing of the parent. */
  known: number;
  /** Of the mean of the scores around the parent's mean plus the effect. */
  variance: number;
  /** Share of the innovation that goes to the parent. */
  gain: number;
  /** How much lower it is expected to be than the frontier's. */
  better: number;
}

/** The true score of the candidate, if it came about in one of the ways. */
export function candidateUnder(
  { hypothesis: { sd }, innovation, secondMoment, known, gain }: Seen,
  { mean, count }: Scores,
): Normal {
  return {
    mean: mean - (1 - gain) * innovation,
    variance:
      (1 - gain) ** 2 * (secondMoment - innovation ** 2) + (sd ** 2 / count) * (known * gain + 1 - known),
  };
}

/** What is believed of a candidate after its scores. */
export interface Look {
  seen: readonly Seen[];
  /** How much lower its true score is expected to be than the frontier's. */
  gain: number;
}

/**
 * Weighs hypotheses and effects by the scores of a candidate.
 * @param weights of the components of effects, any size last
 */
export function look(
  hypotheses: readonly Hypothesis[],
  { parent, frontier }: Places,
  weights: readonly number[],
  scores: Scores,
): Look {
  const places = { parent, frontier };
  const same = { probabilities: probabilitiesOf(weights), anySize: at(weights, ANY_SIZE) };
  const seen = hypotheses.map((hypothesis) =>
    under(hypothesis, places, hypothesis.changed ? CHANGED : same, scores),
  );
  const most = Math.max(...seen.map(({ log }) => log));
  let total = 0;
  for (const one of seen) total += one.p = Math.exp(one.log - most);
  let gain = 0;
  for (const one of seen) {
    one.p /= total;
    gain += one.p * one.better;
  }
  return { seen, gain };
}

/** Probabilities of effects: of each of a known scale, and of any size. */
interface Prior {
  probabilities: Float64Array;
  anySize: number;
}

function under(
  hypothesis: Hypothesis,
  { parent, frontier }: Places,
  { probabilities, anySize }: Prior,
  { mean, squares, count }: Scores,
): Seen {
  const { sd, unit, joint } = hypothesis;
  const row = joint.covariances[parent];
  const before = at(joint.means, parent);
  const variance0 = at(row, parent);
  const variance = variance0 + sd ** 2 / count;
  const off = mean - before;
  const sums = effectSums(off, Math.sqrt(variance), unit, probabilities);
  const any =
    (anySize * Math.sqrt(2 * Math.PI * variance)) / (ANY_SIZE_RANGE * Math.max(Math.abs(off), unit));
  const total = sums.zeroth + any;
  const known = sums.zeroth / total;
  const effect = (unit * sums.first) / total;
  const innovation = off * known - effect;
  const secondMoment = off ** 2 * known - 2 * off * effect + (unit ** 2 * sums.second) / total;
  const gain = variance0 / variance;
  const better =
    at(joint.means, frontier) -
    before -
    (off - innovation) +
    ((at(row, frontier) - variance0) / variance) * innovation;
  return {
    hypothesis,
    log:
      hypothesis.logWeight -
      (count - 1) * hypothesis.logSd -
      squares / (2 * sd ** 2) -
      0.5 * Math.log(variance) +
      Math.log(total),
    p: 0,
    innovation,
    secondMoment,
    known,
    variance,
    gain,
    better,
  };
}

const EFFECTS = Float64Array.from(EFFECT_POINTS, ({ effect }) => effect);

/** Probability of each effect of a known scale, by the weights of the components. */
const probabilitiesOf = (weights: readonly number[]): Float64Array =>
  Float64Array.from(EFFECT_POINTS, ({ component, share }) => at(weights, component) * share);

const CHANGED: Prior = {
  probabilities: probabilitiesOf(CHANGED_WEIGHTS),
  anySize: at(CHANGED_WEIGHTS, ANY_SIZE),
};

/** Standard deviations beyond which an effect explains nothing: exp(−z²/2) is below 1e−20. */
const FARTHEST = 9.6;

/** Σ π d^i exp(−z²/2) over the effects d of known scales, in units, for i = 0, 1, 2. */
function effectSums(off: number, spread: number, unit: number, probabilities: Float64Array) {
  let [zeroth, first, second] = [0, 0, 0];
  for (let i = 0; i < EFFECTS.length; i += 1) {
    const effect = EFFECTS[i] ?? 0;
    const z = (off - unit * effect) / spread;
    if (z > FARTHEST || z < -FARTHEST) continue;
    const p = (probabilities[i] ?? 0) * Math.exp(-0.5 * z * z);
    zeroth += p;
    first += p * effect;
    second += p * effect * effect;
  }
  return { zeroth, first, second };
}

/**
 * How likely the scores are under each component of effects, on a common scale, for learning their weights: as far as
 * the edit has not changed the noise.
 */
export function componentLikelihoods(
  hypotheses: readonly Hypothesis[],
  { parent }: Pick<Places, 'parent'>,
  { mean, squares, count }: Scores,
): number[] {
  const rows = hypotheses
    .filter(({ changed }) => !changed)
    .map(({ sd, unit, logWeight, logSd, joint }) => {
      const variance = at(joint.covariances[parent], parent) + sd ** 2 / count;
      const off = mean - at(joint.means, parent);
      const row = COMPONENTS.map(() => 0);
      for (const { effect, component, share } of EFFECT_POINTS) {
        const z = (off - unit * effect) / Math.sqrt(variance);
        row[component] = at(row, component) + share * Math.exp(-0.5 * z * z);
      }
      row.push(Math.sqrt(2 * Math.PI * variance) / (ANY_SIZE_RANGE * Math.max(Math.abs(off), unit)));
      const log = logWeight - (count - 1) * logSd - squares / (2 * sd ** 2) - 0.5 * Math.log(variance);
      return { log, row };
    });
  const most = Math.max(...rows.map(({ log }) => log));
  const sums = GENERIC_WEIGHTS.map((_, i) =>
    rows.reduce((sum, { log, row }) => sum + Math.exp(log - most) * at(row, i), 0),
  );
  const largest = Math.max(...sums);
  return sums.map((sum) => sum / largest);
}
