import { believedOf, beliefsOf, retained, type Beliefs, type Normal } from './beliefs.js';
import { costOf } from './costs.js';
import { GENERIC_WEIGHTS } from './effects.js';
import { changedNoise } from './learn.js';
import { meanOf } from './noise.js';
import { FORMER_FRONTIERS, remembered, type Verdict } from './posterior.js';
import type { DecisionInputs, DecisionResult, Family, Knowledge, Rule } from './record.js';
import type { Frontier } from './shared-record.js';
import { spreadOf, spreadRange, typicalSd } from './spread.js';

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
  return {
    result,
    knowledge: { weights: [...GENERIC_WEIGHTS], runs, beliefs: stored(beliefs), gains: [], family },
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
