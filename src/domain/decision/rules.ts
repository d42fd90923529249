import { believedOf, withExactly, type Beliefs } from './belief/beliefs.js';
import { boundedDifference, costOf, costsOf, improves, scoresOf, candidateOf } from './costs.js';
import { afterAdoption, afterRefusal } from './belief/belief-update.js';
import { componentLikelihoods, type Scores } from './belief/look.js';
import {
  judge,
  LEAST_GAIN_SD,
  MOST_REPLICATES,
  priceOfRun,
  worthOfRun,
  type Candidate,
  type Verdict,
} from './belief/posterior.js';
import type { DecisionInputs, Knowledge, Rule } from './records/record.js';
import { vetoOf, type Frontier } from './records/shared-record.js';
import { typicalSd } from './belief/spread.js';
import { passesScreen, thresholdPasses, THRESHOLD_RUNS } from './threshold.js';
import { recordOf, startRecord, type Decided } from './records/decision-record.js';

/** Basis on which each rule judges a candidate: its score alone, its runs beside the noise, or what is believed of it. */
const JUDGED_BY: Readonly<Record<Rule, 'score' | 'noise' | 'belief'>> = {
  greedy: 'score',
  threshold: 'noise',
  posterior: 'belief',
};

/**
 * Decides whether a candidate is adopted, by nothing but its inputs: the same inputs give the same result on every
 * machine, which an audit checks.
 * @param trial the candidate's number, under which it is remembered
 */
export function decideBy(rule: Rule, trial: number, inputs: DecisionInputs): Decided {
  const { frontier, knowledge } = inputs;
  if (frontier === null || knowledge === null) return startRecord(rule, trial, inputs);
  const veto = vetoOf(inputs.guards);
  // a candidate within the gates is better than a frontier that is not, and never the other way round
  const mayAdopt = veto === null && inputs.eligible && !isSeedOnly(inputs);
  const facts = { rule, trial, inputs, frontier, knowledge };
  const { beliefs } = knowledge;
  const judgedBy = JUDGED_BY[rule];
  if (beliefs === null || judgedBy === 'score' || inputs.deterministic) {
    const adopt = mayAdopt && (!frontier.eligible || improves(inputs, frontier));
    return recordOf(facts, { adopt, veto, gain: null, beliefs, likelihoods: [] });
  }
  const pairing = inputs.shared === null ? null : pairedGain(inputs, frontier, beliefs, inputs.shared);
  if (pairing !== null) {
    const adopt = mayAdopt && (!frontier.eligible || pairing.adopt);
    return recordOf(facts, {
      adopt,
      veto,
      gain: pairing.gain,
      beliefs: pairing.after(trial, adopt),
      likelihoods: [],
    });
  }
  const candidate = candidateOf(inputs, frontier, knowledge, beliefs);
  const scores = scoresOf(inputs, frontier, beliefs);
  const verdict = judge(candidate, scores);
  const byNoise = judgedBy === 'noise';
  const passes = byNoise ? thresholdPasses(costsOf(inputs, frontier, beliefs)) : verdict.adopt;
  const adopt = mayAdopt && (!frontier.eligible || passes);
  return recordOf(facts, {
    adopt,
    veto,
    gain: byNoise ? null : verdict.gain,
    beliefs: adopt ? afterAdoption(beliefs, trial, verdict) : afterRefusal(beliefs, verdict),
    likelihoods: componentLikelihoods(verdict.hypotheses, verdict.places, scores),
    ...(byNoise ? {} : weighed(inputs, knowledge, candidate, scores, verdict)),
    verdict,
  });
}

/** Tells whether one more run of a candidate is worth its price before it is decided. */
export function wantsAnotherRun(rule: Rule, inputs: DecisionInputs, calibration: number): boolean {
  const { frontier, scores, knowledge, shared, alike, deterministic, askedRuns } = inputs;
  if (frontier === null || knowledge === null) return scores.length < calibration;
  if (askedRuns !== null) return scores.length < askedRuns;
  if (deterministic || alike || shared !== null) return false;
  const { beliefs } = knowledge;
  const judgedBy = JUDGED_BY[rule];
  if (!inputs.eligible || isSeedOnly(inputs) || judgedBy === 'score' || beliefs === null) return false;
  if (judgedBy === 'noise')
    return (
      scores.length < THRESHOLD_RUNS &&
      (scores.length > 1 || passesScreen(costsOf(inputs, frontier, beliefs)))
    );
  if (scores.length >= MOST_REPLICATES) return false;
  const candidate = candidateOf(inputs, frontier, knowledge, beliefs);
  const own = scoresOf(inputs, frontier, beliefs);
  const { worth, price } = weighed(inputs, knowledge, candidate, own, judge(candidate, own));
  return worth !== null && price !== null && worth > price;
}

/** True for an edit of nothing but a seed where one run is all there is: other luck is no better recipe. */
export const isSeedOnly = ({ deterministic, seedOnly }: DecisionInputs): boolean => deterministic && seedOnly;

/** Weighs what one more run would be worth against what it costs by now. */
function weighed(
  inputs: DecisionInputs,
  knowledge: Knowledge,
  candidate: Candidate,
  scores: Scores,
  verdict: Verdict,
): { worth: number | null; price: number | null } {
  if (inputs.scores.length >= MOST_REPLICATES || inputs.alike) return { worth: null, price: null };
  const sd = typicalSd(candidate.beliefs);
  return {
    worth: worthOfRun(candidate, scores, verdict),
    price: priceOfRun(sd, knowledge.gains, knowledge.runs + inputs.scores.length),
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
  const [first, same] = [costOf(inputs, inputs.scores[0] ?? shared), costOf(inputs, shared)];
  const difference = boundedDifference(first, same, beliefs);
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
