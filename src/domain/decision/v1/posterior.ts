import {
  componentLikelihoods,
  effectGrid,
  effectsAfter,
  NORMAL_RULE,
  type EffectGrid,
  type Effects,
} from './effects.js';

/**
 * Belief about the true cost of a snapshot: a normal distribution, in the metric's unit (lower is better).
 */
export interface Node {
  mean: number;
  variance: number;
}

/** The scores of a candidate so far, as costs. */
export interface Scores {
  mean: number;
  count: number;
}

/** Basis for judging a candidate, beside its own scores. */
export interface Candidate {
  /** Run-to-run standard deviation of the score, > 0, in the metric's unit. */
  sd: number;
  /** Weights of the effects' components; they sum to 1. */
  weights: readonly number[];
  parent: Node;
  /** null where the parent is the frontier. */
  frontier: Node | null;
}

/** Adopt when the expected gain exceeds this many standard deviations of a run: edits that do nothing stay out. */
export const LEAST_GAIN_SD = 0.05;
/** Another replicate has to be worth at least this many standard deviations. */
export const LEAST_WORTH_SD = 0.02;
export const MOST_REPLICATES = 4;
/** A run costs this many times what a run of the campaign has brought so far. */
const PRICE = 2;
const FEWEST_RUNS = 40;

/** Verdict on the scores of a candidate. */
export interface Verdict {
  /** Expected advantage of its cost over the frontier's. */
  gain: number;
  /** True when that is enough to move the frontier. */
  adopt: boolean;
  /** Beliefs about the candidate and its parent: a frontier is measured again by each of its children. */
  child: Node;
  parent: Node;
  /** Likelihood of the scores under each component of effects. */
  likelihoods: number[];
}

/** Judges a candidate by its scores so far. */
export function judge(candidate: Candidate, scores: Scores): Verdict {
  const { sd, parent, frontier } = candidate;
  const believed = effectsOf(candidate, scores);
  const child = childNode(candidate, believed, scores);
  const gain = frontier === null ? -expected(believed) : frontier.mean - child.mean;
  return {
    gain,
    adopt: gain > LEAST_GAIN_SD * sd,
    child,
    parent: parentNode(candidate, believed, scores),
    likelihoods: componentLikelihoods(
      gridOf(sd),
      scores.mean - parent.mean,
      measured(candidate, scores).variance,
    ),
  };
}

/** Prices one more run, in the metric's unit. */
export function priceOfRun(sd: number, campaign: { believedGain: number; runs: number }): number {
  const going = (PRICE * campaign.believedGain) / Math.max(campaign.runs, FEWEST_RUNS);
  return Math.max(LEAST_WORTH_SD * sd, going);
}

/**
 * Values one more replicate, in the metric's unit: how much better the decision is expected to be with it than
 * without it, over the scores that it may bring.
 */
export function worthOfReplicate(candidate: Candidate, scores: Scores): number {
  const { sd } = candidate;
  const believed = effectsOf(candidate, scores);
  const child = childNode(candidate, believed, scores);
  const next = Math.sqrt(child.variance + sd ** 2);
  const count = scores.count + 1;
  let after = 0;
  for (const [at, weight] of NORMAL_RULE) {
    const mean = (scores.mean * scores.count + child.mean + next * at) / count;
    after += weight * valueOf(candidate, { mean, count });
  }
  return after - valueOf(candidate, scores);
}

/** Expected gain of a decision by these scores. */
function valueOf(candidate: Candidate, scores: Scores): number {
  const believed = effectsOf(candidate, scores);
  const gain =
    candidate.frontier === null
      ? -expected(believed)
      : candidate.frontier.mean - childNode(candidate, believed, scores).mean;
  return Math.max(0, gain - LEAST_GAIN_SD * candidate.sd);
}

function effectsOf(candidate: Candidate, scores: Scores): Effects {
  const { off, variance } = measured(candidate, scores);
  return effectsAfter(gridOf(candidate.sd), candidate.weights, off, variance);
}

let latest = effectGrid(1);
/** The grid of a standard deviation; consecutive calls mostly ask for the same. */
function gridOf(sd: number): EffectGrid {
  if (latest.sd !== sd) latest = effectGrid(sd);
  return latest;
}

const measured = ({ sd, parent }: Candidate, { mean, count }: Scores): { off: number; variance: number } => ({
  off: mean - parent.mean,
  variance: parent.variance + sd ** 2 / count,
});

function expected({ effects, p }: Effects): number {
  let sum = 0;
  for (let i = 0; i < p.length; i += 1) sum += (p[i] ?? 0) * (effects[i] ?? 0);
  return sum;
}

function childNode({ sd, parent }: Candidate, believed: Effects, scores: Scores): Node {
  const precision = 1 / parent.variance + scores.count / sd ** 2;
  const base = parent.mean / parent.variance + (scores.count * scores.mean) / sd ** 2;
  return matched(believed, 1 / precision, (effect) => (base + effect / parent.variance) / precision);
}

function parentNode({ sd, parent }: Candidate, believed: Effects, scores: Scores): Node {
  const known = scores.count / sd ** 2;
  const precision = 1 / parent.variance + known;
  const base = parent.mean / parent.variance + known * scores.mean;
  return matched(believed, 1 / precision, (effect) => (base - known * effect) / precision);
}

/** A normal distribution with the mean and variance of a mixture of normals with equal variance. */
function matched({ effects, p }: Effects, variance: number, meanAt: (effect: number) => number): Node {
  let mean = 0;
  for (let i = 0; i < p.length; i += 1) mean += (p[i] ?? 0) * meanAt(effects[i] ?? 0);
  let between = 0;
  for (let i = 0; i < p.length; i += 1) between += (p[i] ?? 0) * (meanAt(effects[i] ?? 0) - mean) ** 2;
  return { mean, variance: variance + between };
}
