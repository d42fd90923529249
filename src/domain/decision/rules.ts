import { isBetter } from '../task.js';
import { GENERIC_WEIGHTS } from './effects.js';
import { meanOf, NO_NOISE, sdOf, withRuns, type Noise } from './noise.js';
import {
  judge,
  LEAST_GAIN_SD,
  MOST_REPLICATES,
  priceOfRun,
  worthOfReplicate,
  type Node,
  type Standing,
} from './posterior.js';
import type { DecisionInputs, DecisionResult, Frontier, GuardValue, Knowledge, Rule } from './record.js';
import { passesScreen, thresholdPasses, THRESHOLD_RUNS } from './threshold.js';

/**
 * Whether a candidate should be adopted, by nothing but its inputs: the same inputs give the same result on every
 * machine, which an audit checks.
 */
export function decideBy(rule: Rule, inputs: DecisionInputs): DecisionResult {
  const { frontier, scores } = inputs;
  if (frontier === null) return startResult(inputs);
  const veto = vetoOf(inputs.guards);
  const base = baseOf(inputs, frontier);
  // a candidate within the gates is better than a frontier that is not, and never the other way round
  const mayAdopt = veto === null && inputs.barred === null && inputs.eligible;
  if (rule === 'greedy' || inputs.deterministic)
    return {
      ...base,
      sd: inputs.deterministic ? null : base.sd,
      veto,
      adopt: mayAdopt && (!frontier.eligible || improves(inputs, frontier)),
    };
  const { sd } = base;
  if (rule === 'threshold') {
    const passes = thresholdPasses({ ...costsOf(inputs, frontier), sd });
    const fresh = countOf(inputs) > 1 ? scores.slice(1) : null;
    const standing = fresh === null ? base.standing : { score: meanOf(fresh), runs: fresh.length };
    return { ...base, veto, standing, adopt: mayAdopt && (!frontier.eligible || passes) };
  }
  const believed = inputs.shared === null ? independent(inputs, sd) : paired(inputs, inputs.shared, sd);
  return { ...base, ...believed, veto, adopt: mayAdopt && (!frontier.eligible || believed.adopt) };
}

/** Whether one more run of a candidate is worth its price before it is decided. */
export function wantsAnotherRun(rule: Rule, inputs: DecisionInputs, calibration: number): boolean {
  const { frontier, scores, knowledge, shared } = inputs;
  if (frontier === null) return scores.length < calibration;
  if (!inputs.eligible || rule === 'greedy' || inputs.deterministic || inputs.alike) return false;
  const sd = sdFor(inputs);
  if (rule === 'threshold')
    return (
      scores.length < THRESHOLD_RUNS &&
      (scores.length > 1 || passesScreen({ ...costsOf(inputs, frontier), sd }))
    );
  if (scores.length >= MOST_REPLICATES || knowledge === null || shared !== null) return false;
  const sign = signOf(inputs);
  const at = (inputs.frontierNode ?? inputs.parent)?.mean ?? frontier.score;
  const believedGain = sign * (knowledge.startScore - at);
  const price = priceOfRun(sd, { believedGain, runs: knowledge.runs + scores.length });
  return worthOfReplicate(standingOf(inputs, sd), costs(inputs)) > price;
}

/** What the campaign knows after a decision. */
export function knowledgeAfter(inputs: DecisionInputs, result: DecisionResult): Knowledge {
  const { knowledge, scores, score } = inputs;
  if (knowledge === null)
    return { noise: result.noise, weights: [...GENERIC_WEIGHTS], runs: scores.length, startScore: score };
  return { ...knowledge, noise: result.noise, runs: knowledge.runs + scores.length };
}

function startResult(inputs: DecisionInputs): DecisionResult {
  const { score } = inputs;
  const noise = noiseWith(NO_NOISE, inputs);
  const sd = sdOf(noise, score);
  return {
    adopt: true,
    delta: null,
    gain: null,
    sd,
    veto: null,
    nodes: [{ of: 'own', mean: score, variance: sd ** 2 / countOf(inputs) }],
    likelihoods: [],
    noise,
    standing: { score, runs: countOf(inputs) },
  };
}

function baseOf(inputs: DecisionInputs, frontier: Frontier): DecisionResult & { sd: number } {
  const { score, shared } = inputs;
  return {
    adopt: false,
    delta: score - frontier.score,
    gain: null,
    sd: sdFor(inputs),
    veto: null,
    nodes: [],
    likelihoods: [],
    noise: shared === null ? noiseWith(noiseOf(inputs), inputs) : noiseOf(inputs),
    standing: { score, runs: countOf(inputs) },
  };
}

const noiseOf = ({ knowledge }: DecisionInputs): Noise => knowledge?.noise ?? NO_NOISE;
const sdFor = (inputs: DecisionInputs): number =>
  sdOf(noiseOf(inputs), inputs.frontier?.score ?? inputs.score);
/** Runs that do not depend on their seeds are one. */
const countOf = ({ alike, scores }: DecisionInputs): number => (alike ? 1 : scores.length);
const noiseWith = (noise: Noise, { alike, scores }: DecisionInputs): Noise =>
  alike ? noise : withRuns(noise, scores);
const signOf = ({ direction }: DecisionInputs): number => (direction === 'minimize' ? 1 : -1);
const costs = (inputs: DecisionInputs): { mean: number; count: number } => ({
  mean: signOf(inputs) * inputs.score,
  count: countOf(inputs),
});

function improves({ direction, score }: DecisionInputs, frontier: Frontier): boolean {
  return isBetter(direction, score, frontier.score);
}

function costsOf(inputs: DecisionInputs, frontier: Frontier) {
  const sign = signOf(inputs);
  const scores = inputs.scores.slice(0, countOf(inputs)).map((score) => sign * score);
  return { scores, reference: sign * frontier.score, referenceRuns: frontier.runs };
}

function flipped(sign: number, { mean, variance }: Node): Node {
  return { mean: sign * mean, variance };
}

function standingOf(inputs: DecisionInputs, sd: number): Standing {
  const sign = signOf(inputs);
  const { knowledge, parent, frontierNode, score } = inputs;
  return {
    sd,
    weights: knowledge?.weights ?? GENERIC_WEIGHTS,
    parent: flipped(sign, parent ?? { mean: score, variance: sd ** 2 }),
    frontier: frontierNode === null ? null : flipped(sign, frontierNode),
  };
}

type Believed = Pick<DecisionResult, 'adopt' | 'gain' | 'nodes' | 'likelihoods'>;

function independent(inputs: DecisionInputs, sd: number): Believed {
  const sign = signOf(inputs);
  const { gain, adopt, child, parent, likelihoods } = judge(standingOf(inputs, sd), costs(inputs));
  const nodes: DecisionResult['nodes'] = [
    { of: 'own', ...flipped(sign, child) },
    { of: 'parent', ...flipped(sign, parent) },
  ];
  return { gain, adopt, nodes, likelihoods };
}

/** Under the parent's own training there is no noise between the two: what differs is what the edit did. */
function paired(inputs: DecisionInputs, shared: number, sd: number): Believed {
  const { parent, frontierNode, scores } = inputs;
  const own = {
    mean: (parent?.mean ?? shared) + ((scores[0] ?? shared) - shared),
    variance: parent?.variance ?? sd ** 2,
  };
  const against = frontierNode ?? parent ?? own;
  const gain = signOf(inputs) * (against.mean - own.mean);
  return { gain, adopt: gain > LEAST_GAIN_SD * sd, nodes: [{ of: 'own', ...own }], likelihoods: [] };
}

/** The first guard that is worse than the start by more than its margin, or has no value, in words. */
function vetoOf(guards: readonly GuardValue[]): string | null {
  for (const { metric, direction, margin, start, value } of guards) {
    if (value === null || start === null) return `the guard "${metric}" has no value`;
    const worse = direction === 'minimize' ? value - start : start - value;
    if (worse > margin)
      return `the guard "${metric}" is ${value}, worse than the start's ${start} by more than ${margin}`;
  }
  return null;
}
