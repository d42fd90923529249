import { believedOf, type Beliefs } from './beliefs.js';
import {
  candidateUnder,
  hypothesesOf,
  look,
  type Hypothesis,
  type Look,
  type Places,
  type Scores,
} from './look.js';
import { typicalSd } from './spread.js';

/** Basis for judging a candidate, beside its own scores. Costs: lower is better. */
export interface Candidate {
  beliefs: Beliefs;
  /** Weights of the effects' components; they sum to 1. */
  weights: readonly number[];
  frontier: { trial: number; mean: number; runs: number };
  /** The trial that the candidate stands on; the frontier stands in for one of which nothing is believed any more. */
  parent: number;
  /** Value of knowing the noise better by itself, in standard deviations for each nat². */
  noiseValue: number;
}

/** Adopt when the expected gain exceeds this many standard deviations of a run: edits that do nothing stay out. */
export const LEAST_GAIN_SD = 0.05;
/** Another run has to be worth at least this many standard deviations. */
export const LEAST_WORTH_SD = 0.02;
export const MOST_REPLICATES = 4;

/** Frontiers of which the beliefs are kept, the present one included: candidates may have been begun on them. */
export const LATEST_FRONTIERS = 4;

/** Verdict on the scores of a candidate. */
export interface Verdict {
  /** Expected advantage of its cost over the frontier's. */
  gain: number;
  /** True when that is enough to move the frontier. */
  adopt: boolean;
  look: Look;
  hypotheses: readonly Hypothesis[];
  places: Places;
  scores: Scores;
}

/** Judges a candidate by its scores so far. */
export function judge(candidate: Candidate, scores: Scores): Verdict {
  const hypotheses = hypothesesOf(candidate.beliefs);
  const places = placesOf(candidate);
  const seen = look(hypotheses, places, candidate.weights, scores);
  return {
    gain: seen.gain,
    adopt: valueOf(candidate)(seen.gain, scores) > 0,
    look: seen,
    hypotheses,
    places,
    scores,
  };
}

/** Finds the places of parent and frontier in the beliefs. */
export function placesOf({ beliefs, parent, frontier }: Candidate): Places {
  const own = beliefs.trials.indexOf(parent);
  const best = beliefs.trials.indexOf(frontier.trial);
  return { parent: own === -1 ? best : own, frontier: best };
}

/**
 * Values a decision by such scores: the gain beyond the least, and nothing for a candidate that is barred. A child of
 * the frontier is never adopted where it measures no better than what is believed of the frontier; any other recipe
 * never where its mean is no better than the frontier's in no more runs. One belief about both could say otherwise,
 * since a distribution with two peaks is kept as one normal.
 */
function valueOf({ beliefs, parent, frontier }: Candidate): (gain: number, scores: Scores) => number {
  const least = LEAST_GAIN_SD * typicalSd(beliefs);
  const believed = believedOf(beliefs, frontier.trial)?.mean ?? frontier.mean;
  const isBarred = ({ mean, count }: Scores): boolean =>
    parent === frontier.trial ? mean >= believed : mean >= frontier.mean && count <= frontier.runs;
  return (gain, scores) => (isBarred(scores) ? 0 : Math.max(0, gain - least));
}

/** Nodes and weights of a Gauss–Hermite rule for the standard normal distribution (probabilists' form, 5 points). */
const NORMAL_RULE: readonly (readonly [number, number])[] = [
  [-2.8569700138728056, 0.011257411327720693],
  [-1.355626179974266, 0.22207592200561266],
  [0, 0.5333333333333333],
  [1.355626179974266, 0.22207592200561266],
  [2.8569700138728056, 0.011257411327720693],
];

/** Hypotheses that the next score is foreseen under: the likeliest, none below the least probability. */
const FORESEEN = 10;
const LEAST_FORESEEN = 0.004;

/**
 * Values one more run of a candidate, in the metric's unit: how much better the decision is expected to be with it
 * than without it, over the scores that it may bring; the noise is among the unknowns. null where harm is so plain
 * that no further run could change it.
 */
export function worthOfRun(candidate: Candidate, scores: Scores, verdict: Verdict): number | null {
  const typical = typicalSd(candidate.beliefs);
  if (verdict.gain <= -typical) return null;
  const likely = verdict.look.seen
    .toSorted((a, b) => b.p - a.p)
    .slice(0, FORESEEN)
    .filter(({ p }) => p > LEAST_FORESEEN);
  const hypotheses = likely.map(({ hypothesis }) => hypothesis);
  const total = likely.reduce((sum, { p }) => sum + p, 0);
  const value = valueOf(candidate);
  const least = LEAST_GAIN_SD * typical;
  const now = value(verdict.gain, scores);
  // The expected gain after the run is the gain now. Where it is worth something now, only what the run may save is
  // summed: the error of summing the whole gain by a few points would be larger than that.
  const saved = (gain: number, worth: number): number => (now > 0 ? worth - (gain - least) : worth);
  const noiseBefore = noiseUncertainty(
    likely.map(({ hypothesis, p }) => ({ sd: hypothesis.sd, p: p / total })),
  );
  let [improvement, noiseAfter, adopted] = [0, 0, 0];
  for (const one of likely) {
    const { hypothesis, p } = one;
    const believed = candidateUnder(one, scores);
    for (const [node, share] of NORMAL_RULE) {
      const next = believed.mean + node * Math.sqrt(believed.variance + hypothesis.sd ** 2);
      const withNext = withRun(scores, next);
      const seen = look(hypotheses, verdict.places, candidate.weights, withNext);
      const worth = value(seen.gain, withNext);
      const weight = (p / total) * share;
      improvement += weight * saved(seen.gain, worth);
      if (candidate.noiseValue === 0) continue;
      noiseAfter += weight * noiseUncertainty(seen.seen.map((one) => ({ sd: one.hypothesis.sd, p: one.p })));
      if (worth > 0) adopted += weight;
    }
  }
  return improvement + candidate.noiseValue * typical * (noiseBefore - noiseAfter) * adopted;
}

/** The scores with one more run. */
function withRun({ mean, squares, count }: Scores, score: number): Scores {
  const off = score - mean;
  return {
    mean: mean + off / (count + 1),
    squares: squares + (off ** 2 * count) / (count + 1),
    count: count + 1,
  };
}

/** Variance of the logarithm of the noise, in nat². */
function noiseUncertainty(levels: readonly { sd: number; p: number }[]): number {
  const mean = levels.reduce((sum, { sd, p }) => sum + p * Math.log(sd), 0);
  return levels.reduce((sum, { sd, p }) => sum + p * (Math.log(sd) - mean) ** 2, 0);
}

/** A gain that an adoption was expected to bring, and after how many runs of the campaign. */
export interface Adopted {
  run: number;
  gain: number;
}

/** A run costs this many times what a run has brought of late. */
const PRICE = 2;
const FEWEST_RUNS = 40;
/** A gain is forgotten by half after so many runs, and counts for so many of today's standard deviations at most. */
const HALF_LIFE_RUNS = 100;
const MOST_GAIN_SD = 6;
/** Gains of which less than this share is left are dropped. */
const LEAST_LEFT = 0.01;

const leftOf = ({ run }: Adopted, runs: number): number => 0.5 ** ((runs - run) / HALF_LIFE_RUNS);

/** Prices one more run, in the metric's unit, after so many runs of the campaign. */
export function priceOfRun(sd: number, gains: readonly Adopted[], runs: number): number {
  const gained = gains.reduce(
    (sum, adopted) => sum + Math.min(adopted.gain, MOST_GAIN_SD * sd) * leftOf(adopted, runs),
    0,
  );
  const remembered = ((1 - 0.5 ** (runs / HALF_LIFE_RUNS)) * HALF_LIFE_RUNS) / Math.LN2;
  return Math.max(LEAST_WORTH_SD * sd, (PRICE * gained) / Math.max(remembered, FEWEST_RUNS));
}

/** The gains that still count after so many runs. */
export const remembered = (gains: readonly Adopted[], runs: number): Adopted[] =>
  gains.filter((adopted) => leftOf(adopted, runs) >= LEAST_LEFT);
