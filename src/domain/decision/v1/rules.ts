import { isBetter } from '../../task/task.js';
import { GENERIC_WEIGHTS } from '../belief/effects.js';
import { meanOf, NO_NOISE, sdOf, withRuns, type Noise } from '../noise.js';
import {
  judge,
  LEAST_GAIN_SD,
  MOST_REPLICATES,
  priceOfRun,
  worthOfReplicate,
  type Node,
  type Candidate,
} from './posterior.js';
import { vetoOf, type Frontier } from '../records/shared-record.js';
import type { Rule } from '../records/record.js';
import type { InputsV1, KnowledgeV1, ResultV1 } from './record.js';
import { passesScreen, thresholdPasses, THRESHOLD_RUNS } from '../threshold.js';

/**
 * Whether a candidate should be adopted, by nothing but its inputs: the same inputs give the same result on every
 * machine, which an audit checks.
 */
export function decideByV1(rule: Rule, inputs: InputsV1): ResultV1 {
  const { frontier, scores } = inputs;
  if (frontier === null) return startResult(inputs);
  const veto = vetoOf(inputs.guards);
  const base = baseOf(inputs, frontier);
  // a candidate within the gates is better than a frontier that is not, and never the other way round
  const mayAdopt = veto === null && inputs.eligible;
  if (rule === 'greedy')
    return { ...base, veto, adopt: mayAdopt && (!frontier.eligible || improves(inputs, frontier)) };
  const { sd } = base;
  if (rule === 'threshold') {
    const passes = thresholdPasses({ ...costsOf(inputs, frontier), sd });
    const fresh = scores.length > 1 ? scores.slice(1) : scores;
    const standing = { score: meanOf(fresh), runs: fresh.length };
    return { ...base, veto, standing, adopt: mayAdopt && (!frontier.eligible || passes) };
  }
  const believed = inputs.shared === null ? independent(inputs, sd) : paired(inputs, inputs.shared, sd);
  return { ...base, ...believed, veto, adopt: mayAdopt && (!frontier.eligible || believed.adopt) };
}

/** Whether one more run of a candidate is worth its price before it is decided. */
export function wantsAnotherRunV1(rule: Rule, inputs: InputsV1, calibration: number): boolean {
  const { frontier, scores, knowledge, shared } = inputs;
  if (frontier === null) return scores.length < calibration;
  if (!inputs.eligible || rule === 'greedy') return false;
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
  return worthOfReplicate(candidateOf(inputs, sd), costs(inputs)) > price;
}

/** What the campaign knows after a decision. */
export function knowledgeAfterV1(inputs: InputsV1, result: ResultV1): KnowledgeV1 {
  const { knowledge, scores, score } = inputs;
  if (knowledge === null)
    return { noise: result.noise, weights: [...GENERIC_WEIGHTS], runs: scores.length, startScore: score };
  return { ...knowledge, noise: result.noise, runs: knowledge.runs + scores.length };
}

function startResult(inputs: InputsV1): ResultV1 {
  const { scores, score } = inputs;
  const noise = withRuns(NO_NOISE, scores);
  const sd = sdOf(noise, score);
  return {
    adopt: true,
    delta: null,
    gain: null,
    sd,
    veto: null,
    nodes: [{ of: 'own', mean: score, variance: sd ** 2 / scores.length }],
    likelihoods: [],
    noise,
    standing: { score, runs: scores.length },
  };
}

function baseOf(inputs: InputsV1, frontier: Frontier): ResultV1 & { sd: number } {
  const { scores, score, shared } = inputs;
  return {
    adopt: false,
    delta: score - frontier.score,
    gain: null,
    sd: sdFor(inputs),
    veto: null,
    nodes: [],
    likelihoods: [],
    noise: shared === null ? withRuns(noiseOf(inputs), scores) : noiseOf(inputs),
    standing: { score, runs: scores.length },
  };
}

const noiseOf = ({ knowledge }: InputsV1): Noise => knowledge?.noise ?? NO_NOISE;
const sdFor = (inputs: InputsV1): number => sdOf(noiseOf(inputs), inputs.frontier?.score ?? inputs.score);
const signOf = ({ direction }: InputsV1): number => (direction === 'minimize' ? 1 : -1);
const costs = (inputs: InputsV1): { mean: number; count: number } => ({
  mean: signOf(inputs) * inputs.score,
  count: inputs.scores.length,
});

function improves({ direction, score }: InputsV1, frontier: Frontier): boolean {
  return isBetter(direction, score, frontier.score);
}

function costsOf(inputs: InputsV1, frontier: Frontier) {
  const sign = signOf(inputs);
  const scores = inputs.scores.map((score) => sign * score);
  return { scores, fresh: scores.slice(1), reference: sign * frontier.score, referenceRuns: frontier.runs };
}

function flipped(sign: number, { mean, variance }: Node): Node {
  return { mean: sign * mean, variance };
}

function candidateOf(inputs: InputsV1, sd: number): Candidate {
  const sign = signOf(inputs);
  const { knowledge, parent, frontierNode, score } = inputs;
  return {
    sd,
    weights: knowledge?.weights ?? GENERIC_WEIGHTS,
    parent: flipped(sign, parent ?? { mean: score, variance: sd ** 2 }),
    frontier: frontierNode === null ? null : flipped(sign, frontierNode),
  };
}

type Believed = Pick<ResultV1, 'adopt' | 'gain' | 'nodes' | 'likelihoods'>;

function independent(inputs: InputsV1, sd: number): Believed {
  const sign = signOf(inputs);
  const { gain, adopt, child, parent, likelihoods } = judge(candidateOf(inputs, sd), costs(inputs));
  const nodes: ResultV1['nodes'] = [
    { of: 'own', ...flipped(sign, child) },
    { of: 'parent', ...flipped(sign, parent) },
  ];
  return { gain, adopt, nodes, likelihoods };
}

/** Under the parent's own training there is no noise between the two: what differs is what the edit did. */
function paired(inputs: InputsV1, shared: number, sd: number): Believed {
  const { parent, frontierNode, scores } = inputs;
  const own = {
    mean: (parent?.mean ?? shared) + ((scores[0] ?? shared) - shared),
    variance: parent?.variance ?? sd ** 2,
  };
  const against = frontierNode ?? parent ?? own;
  const gain = signOf(inputs) * (against.mean - own.mean);
  return { gain, adopt: gain > LEAST_GAIN_SD * sd, nodes: [{ of: 'own', ...own }], likelihoods: [] };
}
