import {
  at,
  believedOf,
  beliefsOf,
  marginal,
  retained,
  type Beliefs,
  type Normal,
} from '../belief/beliefs.js';
import { costOf } from '../costs.js';
import { GENERIC_WEIGHTS } from '../belief/effects.js';
import { changedNoise } from '../belief/belief-update.js';
import { candidateUnder } from '../belief/look.js';
import { differenceOf, meanOf } from '../noise.js';
import { LATEST_FRONTIERS, remembered, type Verdict } from '../belief/posterior.js';
import type { DecisionInputs, DecisionResult, Family, Knowledge, Rule } from './record.js';
import type { Frontier } from './shared-record.js';
import { spreadOf, spreadRange, typicalSd } from '../belief/spread.js';

/** The verdict on a candidate, and what the campaign knows with it. */
export interface Decided {
  result: DecisionResult;
  knowledge: Knowledge;
}

/** The record of the start: the first frontier, and what its runs say of their noise. */
export function startRecord(rule: Rule, trial: number, inputs: DecisionInputs): Decided {
  const { scores, score, deterministic } = inputs;
  const spread =
    rule === 'greedy' || deterministic ? null : spreadOf(scores.map((one) => costOf(inputs, one)));
  const runs = scores.length;
  const beliefs = spread === null ? null : beliefsOf(spread, trial, { mean: costOf(inputs, score), runs });
  const latest = { since: trial, runs, trials: 1 };
  const family = { ...latest, sd: beliefs === null ? null : typicalSd(beliefs) };
  const result: DecisionResult = {
    adopt: true,
    delta: null,
    gain: null,
    ...noiseIn(beliefs, family),
    worth: null,
    price: null,
    veto: null,
    before: null,
    believed: believedIn(inputs, beliefs),
    own: ownIn(inputs, beliefs, trial),
    likelihoods: [],
    standing: { score, runs: inputs.alike ? 1 : runs },
  };
  return {
    result,
    knowledge: { weights: [...GENERIC_WEIGHTS], runs, beliefs: stored(beliefs), gains: [], family, latest },
  };
}

/** What a verdict is about. */
export interface Facts {
  rule: Rule;
  trial: number;
  inputs: DecisionInputs;
  frontier: Frontier;
  knowledge: Knowledge;
}

/** What a rule has found. */
export interface Found {
  adopt: boolean;
  veto: string | null;
  gain: number | null;
  /** After the decision, of all recipes. */
  beliefs: Beliefs | null;
  likelihoods: number[];
  worth?: number | null;
  price?: number | null;
  verdict?: Verdict;
}

/** The record of a verdict, and what is kept of what is believed after it. */
export function recordOf({ rule, trial, inputs, frontier, knowledge }: Facts, found: Found): Decided {
  const { adopt, gain, veto, likelihoods, verdict } = found;
  const count = inputs.scores.length;
  const runs = knowledge.runs + count;
  const latest = [...(knowledge.beliefs?.trials ?? []), ...(adopt ? [trial] : [])].slice(-LATEST_FRONTIERS);
  const now = adopt ? trial : frontier.trial;
  const beliefs =
    found.beliefs === null
      ? null
      : retained(found.beliefs, (one) => one === now || inputs.open.includes(one) || latest.includes(one));
  const before = ownIn(inputs, knowledge.beliefs, frontier.trial);
  const result: DecisionResult = {
    adopt,
    delta: differenceOf(inputs.score, frontier.score),
    gain,
    ...noiseIn(knowledge.beliefs, knowledge.family),
    worth: found.worth ?? null,
    price: found.price ?? null,
    veto,
    before,
    believed: believedIn(inputs, beliefs),
    own: verdict === undefined ? ownIn(inputs, found.beliefs, trial) : candidateIn(inputs, verdict),
    likelihoods,
    standing: standingOn(rule, inputs),
  };
  const gains = remembered(knowledge.gains, runs);
  return {
    result,
    knowledge: {
      ...knowledge,
      runs,
      beliefs: stored(beliefs),
      gains: adopt && gain !== null ? [...gains, { run: runs, gain: Math.max(0, gain) }] : gains,
      ...familyAfter(knowledge, trial, count, found),
    },
  };
}

/** By how much the noise has to differ from what it was believed to be before a family counts as another one. */
const OTHER_NOISE = 2;

/**
 * A family begins with an edit that has changed the noise; or, where that shows only later, with the frontier of the
 * time, when the noise is believed to be half or twice of what it was.
 */
function familyAfter(
  { family, latest, beliefs: before }: Knowledge,
  trial: number,
  count: number,
  { adopt, verdict, beliefs }: Found,
): Pick<Knowledge, 'family' | 'latest'> {
  const measured = { runs: count, trials: 1 };
  const added = <F extends Family>(to: F): F => ({ ...to, runs: to.runs + count, trials: to.trials + 1 });
  const now = adopt ? { since: trial, ...measured } : added(latest);
  if (verdict === undefined || beliefs === null || before === null)
    return { family, latest: adopt ? now : latest };
  const sd = typicalSd(beliefs);
  const changed = changedNoise(verdict.look.seen) > 0.5;
  if (changed && adopt) return { family: { ...now, sd }, latest: now };
  if (changed) return { family, latest };
  const other = family.sd !== null && (sd * OTHER_NOISE < family.sd || sd > family.sd * OTHER_NOISE);
  return { family: other ? { ...now, sd } : added(family), latest: now };
}

/** What others are held against: runs that are equal whatever their seed stand for one, and a screened run for none. */
function standingOn(
  rule: Rule,
  { scores, score, alike, askedRuns }: DecisionInputs,
): DecisionResult['standing'] {
  if (alike) return { score, runs: 1 };
  if (rule !== 'threshold' || askedRuns !== null || scores.length < 2) return { score, runs: scores.length };
  return { score: meanOf(scores.slice(1)), runs: scores.length - 1 };
}

function noiseIn(
  beliefs: Beliefs | null,
  { since, runs, trials }: Family,
): Pick<DecisionResult, 'sd' | 'spread'> {
  if (beliefs === null) return { sd: null, spread: null };
  const sd = typicalSd(beliefs);
  const [low, high] = spreadRange(beliefs);
  return { sd, spread: { since, runs, trials, sd, low, high } };
}

type Estimate = NonNullable<DecisionResult['own']>;

const estimateOf = (inputs: DecisionInputs, { mean, variance }: Normal): Estimate => ({
  mean: costOf(inputs, mean),
  sd: Math.sqrt(variance),
});

function ownIn(inputs: DecisionInputs, beliefs: Beliefs | null, trial: number): Estimate | null {
  const found = beliefs === null ? null : believedOf(beliefs, trial);
  return found === null ? null : estimateOf(inputs, found);
}

function believedIn(inputs: DecisionInputs, beliefs: Beliefs | null): DecisionResult['believed'] {
  if (beliefs === null) return [];
  const { means, covariances } = marginal(beliefs);
  return beliefs.trials.map((trial, place) => {
    const normal = { mean: at(means, place), variance: at(covariances[place], place) };
    return { trial, ...estimateOf(inputs, normal) };
  });
}

/** What is believed of the candidate itself, whatever its noise is. */
function candidateIn(inputs: DecisionInputs, { look, scores }: Verdict): Estimate {
  const seen = look.seen.map((one) => ({ p: one.p, candidate: candidateUnder(one, scores) }));
  const mean = seen.reduce((sum, { p, candidate }) => sum + p * candidate.mean, 0);
  const variance = seen.reduce(
    (sum, { p, candidate }) => sum + p * (candidate.variance + (candidate.mean - mean) ** 2),
    0,
  );
  return estimateOf(inputs, { mean, variance });
}

/** Plain arrays for the store. */
function stored(beliefs: Beliefs | null): Knowledge['beliefs'] {
  if (beliefs === null) return null;
  const { unit, lowest, trials, levels } = beliefs;
  return {
    unit,
    lowest,
    trials: [...trials],
    levels: levels.map(({ level, weight, means, covariances }) => ({
      level,
      weight,
      means: [...means],
      covariances: covariances.map((row) => [...row]),
    })),
  };
}
