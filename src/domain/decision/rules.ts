import { isBetter } from '../task.js';
import { believedOf, beliefsOf, retained, withExactly, type Beliefs, type Normal } from './beliefs.js';
import { GENERIC_WEIGHTS } from './effects.js';
import { afterAdoption, afterRefusal, changedNoise } from './learn.js';
import { componentLikelihoods, type Scores } from './look.js';
import { meanOf, NO_NOISE, squaresOf, withRuns } from './noise.js';
import {
  FORMER_FRONTIERS,
  judge,
  LEAST_GAIN_SD,
  MOST_REPLICATES,
  priceOfRun,
  remembered,
  worthOfRun,
  type Standing,
  type Verdict,
} from './posterior.js';
import type { DecisionInputs, DecisionResult, Family, Knowledge, Rule } from './record.js';
import { vetoOf, type Frontier } from './shared-record.js';
import { spreadOf, spreadRange, typicalSd } from './spread.js';
import { passesScreen, thresholdPasses, THRESHOLD_RUNS } from './threshold.js';

/** The verdict on a candidate, and what the campaign knows with it. */
export interface Decided {
  result: DecisionResult;
  knowledge: Knowledge;
}

/**
 * Decides whether a candidate is adopted, by nothing but its inputs: the same inputs give the same result on every
 * machine, which an audit checks.
 * @param trial the candidate's number, under which it is remembered
 */
export function decideBy(rule: Rule, trial: number, inputs: DecisionInputs): Decided {
  const { frontier, knowledge } = inputs;
  if (frontier === null || knowledge === null) return decideStart(rule, trial, inputs);
  const veto = vetoOf(inputs.guards);
  // a candidate within the gates is better than a frontier that is not, and never the other way round
  const mayAdopt = veto === null && inputs.eligible && inputs.barred === null;
  const facts = { rule, trial, inputs, frontier, knowledge };
  const { beliefs } = knowledge;
  if (beliefs === null || rule === 'greedy') {
    const adopt = mayAdopt && (!frontier.eligible || improves(inputs, frontier));
    return decided(facts, { adopt, veto, gain: null, beliefs, likelihoods: [] });
  }
  const pairing = inputs.shared === null ? null : pairedGain(inputs, frontier, beliefs, inputs.shared);
  if (pairing !== null) {
    const adopt = mayAdopt && (!frontier.eligible || pairing.adopt);
    return decided(facts, {
      adopt,
      veto,
      gain: pairing.gain,
      beliefs: pairing.after(trial, adopt),
      likelihoods: [],
    });
  }
  const standing = standingOf(inputs, frontier, knowledge, beliefs);
  const scores = scoresOf(inputs, frontier, beliefs);
  const verdict = judge(standing, scores);
  const passes = rule === 'threshold' ? thresholdPasses(costsOf(inputs, frontier, beliefs)) : verdict.adopt;
  const adopt = mayAdopt && (!frontier.eligible || passes);
  return decided(facts, {
    adopt,
    veto,
    gain: rule === 'threshold' ? null : verdict.gain,
    beliefs: adopt ? afterAdoption(beliefs, trial, verdict) : afterRefusal(beliefs, verdict),
    likelihoods: componentLikelihoods(verdict.hypotheses, verdict.places, scores),
    ...(rule === 'threshold' ? {} : weighed(inputs, knowledge, standing, scores, verdict)),
    verdict,
  });
}

/** Whether one more run of a candidate is worth its price before it is decided. */
export function wantsAnotherRun(rule: Rule, inputs: DecisionInputs, calibration: number): boolean {
  const { frontier, scores, knowledge, shared, alike, deterministic, fewestRuns } = inputs;
  if (frontier === null || knowledge === null) return scores.length < calibration;
  if (deterministic || alike || shared !== null) return false;
  if (scores.length < fewestRuns) return true;
  const { beliefs } = knowledge;
  if (!inputs.eligible || inputs.barred !== null || rule === 'greedy' || beliefs === null) return false;
  if (rule === 'threshold')
    return (
      scores.length < THRESHOLD_RUNS &&
      (scores.length > 1 || passesScreen(costsOf(inputs, frontier, beliefs)))
    );
  if (scores.length >= MOST_REPLICATES) return false;
  const standing = standingOf(inputs, frontier, knowledge, beliefs);
  const own = scoresOf(inputs, frontier, beliefs);
  const { worth, price } = weighed(inputs, knowledge, standing, own, judge(standing, own));
  return worth !== null && price !== null && worth > price;
}

/** What one more run would be worth, and what a run costs by now. */
function weighed(
  inputs: DecisionInputs,
  knowledge: Knowledge,
  standing: Standing,
  scores: Scores,
  verdict: Verdict,
): { worth: number | null; price: number | null } {
  if (inputs.scores.length >= MOST_REPLICATES || inputs.alike) return { worth: null, price: null };
  const sd = typicalSd(standing.beliefs);
  return {
    worth: worthOfRun(standing, scores, verdict),
    price: priceOfRun(sd, knowledge.gains, knowledge.runs + inputs.scores.length),
  };
}

function decideStart(rule: Rule, trial: number, inputs: DecisionInputs): Decided {
  const { scores, score, deterministic } = inputs;
  const spread =
    rule === 'greedy' || deterministic ? null : spreadOf(scores.map((one) => costOf(inputs, one)));
  const runs = scores.length;
  const beliefs = spread === null ? null : beliefsOf(spread, trial, { mean: costOf(inputs, score), runs });
  const family = { since: trial, runs, trials: 1 };
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
    standing: { score, runs },
  };
  const noise = withRuns(NO_NOISE, scores);
  return {
    result,
    knowledge: { noise, weights: [...GENERIC_WEIGHTS], runs, beliefs: stored(beliefs), gains: [], family },
  };
}

interface Facts {
  rule: Rule;
  trial: number;
  inputs: DecisionInputs;
  frontier: Frontier;
  knowledge: Knowledge;
}

interface Found {
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
function decided({ rule, trial, inputs, frontier, knowledge }: Facts, found: Found): Decided {
  const { adopt, gain, veto, likelihoods, verdict } = found;
  const count = inputs.scores.length;
  const runs = knowledge.runs + count;
  const former = [...(knowledge.beliefs?.trials ?? []), ...(adopt ? [trial] : [])].slice(-FORMER_FRONTIERS);
  const now = adopt ? trial : frontier.trial;
  const beliefs =
    found.beliefs === null
      ? null
      : retained(found.beliefs, (one) => one === now || inputs.open.includes(one) || former.includes(one));
  const before = ownIn(inputs, knowledge.beliefs, frontier.trial);
  const result: DecisionResult = {
    adopt,
    delta: inputs.score - frontier.score,
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
      noise:
        inputs.shared === null && !inputs.alike ? withRuns(knowledge.noise, inputs.scores) : knowledge.noise,
      runs,
      beliefs: stored(beliefs),
      gains: adopt && gain !== null ? [...gains, { run: runs, gain: Math.max(0, gain) }] : gains,
      family: familyAfter(knowledge.family, trial, count, found),
    },
  };
}

/** A candidate of another family leaves the present one as it is, or begins one when it is adopted. */
function familyAfter(family: Family, trial: number, count: number, { adopt, verdict }: Found): Family {
  const other = verdict !== undefined && changedNoise(verdict.look.seen) > 0.5;
  if (other && adopt) return { since: trial, runs: count, trials: 1 };
  return verdict === undefined || other
    ? family
    : { ...family, runs: family.runs + count, trials: family.trials + 1 };
}

/** What others are held against: runs that are equal whatever their seed stand for one, and a screened run for none. */
function standingOn(rule: Rule, { scores, score, alike }: DecisionInputs): DecisionResult['standing'] {
  if (alike) return { score, runs: 1 };
  const fresh = rule === 'threshold' && scores.length > 1 ? scores.slice(1) : scores;
  return { score: rule === 'threshold' ? meanOf(fresh) : score, runs: fresh.length };
}

function noiseIn(beliefs: Beliefs | null, family: Family): Pick<DecisionResult, 'sd' | 'spread'> {
  if (beliefs === null) return { sd: null, spread: null };
  const sd = typicalSd(beliefs);
  const [low, high] = spreadRange(beliefs);
  return { sd, spread: { ...family, sd, low, high } };
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
  return (beliefs?.trials ?? []).flatMap((trial) => {
    const found = ownIn(inputs, beliefs, trial);
    return found === null ? [] : [{ trial, ...found }];
  });
}

/** What is believed of the candidate itself, whatever its noise is. */
function candidateIn(inputs: DecisionInputs, { look: { seen } }: Verdict): Estimate {
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

/** A score as a cost, and back: lower is better. */
const costOf = ({ direction }: Pick<DecisionInputs, 'direction'>, score: number): number =>
  direction === 'minimize' ? score : 0 - score;

/**
 * A score farther from the frontier than this counts as so far: a recipe may score 1e300, and must not thereby leave
 * something that is not a number.
 */
const FARTHEST_UNITS = 1e15;

/** The scores of a candidate, as costs. */
function scoresOf(inputs: DecisionInputs, frontier: Frontier, { unit }: Beliefs): Scores {
  const middle = costOf(inputs, frontier.score);
  const costs = (inputs.alike ? inputs.scores.slice(0, 1) : inputs.scores).map((one) => {
    const off = costOf(inputs, one) - middle;
    return middle + Math.min(Math.max(off, -FARTHEST_UNITS * unit), FARTHEST_UNITS * unit);
  });
  return { mean: meanOf(costs), squares: squaresOf(costs), count: costs.length };
}

function improves({ direction, score }: DecisionInputs, frontier: Frontier): boolean {
  return isBetter(direction, score, frontier.score);
}

function costsOf(inputs: DecisionInputs, frontier: Frontier, beliefs: Beliefs) {
  const scores = inputs.scores.map((score) => costOf(inputs, score));
  return {
    scores,
    reference: costOf(inputs, frontier.score),
    referenceRuns: frontier.runs,
    sd: typicalSd(beliefs),
  };
}

function standingOf(
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

/**
 * Under the parent's own training there is no noise between the two: what differs is what the edit did. null where
 * nothing is believed of the parent any more.
 */
function pairedGain(inputs: DecisionInputs, frontier: Frontier, beliefs: Beliefs, shared: number) {
  const parent = inputs.parent ?? frontier.trial;
  const [own, best] = [believedOf(beliefs, parent), believedOf(beliefs, frontier.trial)];
  if (own === null || best === null) return null;
  const difference = costOf(inputs, inputs.scores[0] ?? shared) - costOf(inputs, shared);
  const gain = best.mean - own.mean - difference;
  const worse = costOf(inputs, inputs.score) >= costOf(inputs, frontier.score);
  const barred = parent !== frontier.trial && worse && inputs.scores.length <= frontier.runs;
  return {
    gain,
    adopt: !barred && gain > LEAST_GAIN_SD * typicalSd(beliefs),
    after: (trial: number, adopt: boolean): Beliefs =>
      adopt ? withExactly(beliefs, parent, trial, difference) : beliefs,
  };
}
