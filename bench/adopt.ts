/**
 * Adopt rules at equal compute, simulated: how much is truly gained, and how much each rule believes.
 * `node --import tsx bench/adopt.ts --repetitions 400` prints a table on stderr and JSON (assay.bench.adopt/1) on
 * stdout. All rules of a repetition meet the same proposals; differences are paired. Gains are in 1e-4 of the metric.
 */
import { parseArgs } from 'node:util';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { GENERIC_WEIGHTS, learnedWeights } from '../src/domain/decision/effects.js';
import { LEARN_EVERY } from '../src/domain/decision/learning.js';
import {
  MOST_REPLICATES,
  judge,
  priceOfRun,
  worthOfReplicate,
  type Node,
} from '../src/domain/decision/v1/posterior.js';

const { values } = parseArgs({
  options: {
    repetitions: { type: 'string', default: '400' },
    runs: { type: 'string', default: '440' },
    seed: { type: 'string', default: '11' },
  },
});
const RUNS = Number(values.runs);
const START_REPLICATES = 8;

interface Scenario {
  name: string;
  gains: { share: number; mean: number };
  harms: { share: number; mean: number };
}
const FEW = {
  name: '3 % gain, 7 % harm',
  gains: { share: 0.03, mean: 8e-4 },
  harms: { share: 0.07, mean: 2e-3 },
};
const MANY = {
  name: '10 % gain, 40 % harm',
  gains: { share: 0.1, mean: 4e-4 },
  harms: { share: 0.4, mean: 2e-3 },
};
const NULL = { name: 'nothing helps or harms', gains: { share: 0, mean: 1 }, harms: { share: 0, mean: 1 } };
const SCENARIOS: readonly Scenario[] = [FEW, MANY, NULL];
const SDS = [5e-4, 2e-4];

/** What a rule came to: the true gain, what it believes, how many it adopted, and how many of those are no better. */
interface Came {
  gain: number;
  own: number;
  adopted: number;
  notBetter: number;
}

class Dice {
  private readonly bits;
  constructor(seed: number) {
    this.bits = xoroshiro128plus(seed);
  }
  uniform(): number {
    return ((this.bits.next() >>> 0) + 0.5) / 2 ** 32;
  }
  normal(): number {
    return Math.sqrt(-2 * Math.log(this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
  exponential(mean: number): number {
    return -mean * Math.log(this.uniform());
  }
}

function proposals(dice: Dice, { gains, harms }: Scenario): number[] {
  return Array.from({ length: RUNS }, () => {
    const u = dice.uniform();
    if (u < gains.share) return -dice.exponential(gains.mean);
    return u < gains.share + harms.share ? dice.exponential(harms.mean) : 0;
  });
}

function greedy(effects: readonly number[], sd: number, dice: Dice): Came {
  const first = sd * dice.normal();
  const came = { gain: 0, own: 0, adopted: 0, notBetter: 0 };
  let best = first;
  for (const effect of effects.slice(0, RUNS - 1)) {
    const score = -came.gain + effect + sd * dice.normal();
    if (score >= best) continue;
    best = score;
    adopt(came, effect);
  }
  return { ...came, own: first - best };
}

function adopt(came: Came, effect: number): void {
  came.gain -= effect;
  came.adopted += 1;
  if (effect >= 0) came.notBetter += 1;
}

function posterior(effects: readonly number[], sd: number, dice: Dice): Came {
  const came = { gain: 0, own: 0, adopted: 0, notBetter: 0 };
  const first = (sd * dice.normal()) / Math.sqrt(START_REPLICATES);
  let weights = [...GENERIC_WEIGHTS];
  let parent: Node = { mean: first, variance: sd ** 2 / START_REPLICATES };
  const likelihoods: number[][] = [];
  let runs = START_REPLICATES;
  for (const effect of effects) {
    if (runs >= RUNS) break;
    const standing = { sd, weights, parent, frontier: null };
    const measure = (): number => -came.gain + effect + sd * dice.normal();
    let scores = { mean: measure(), count: 1 };
    runs += 1;
    while (scores.count < MOST_REPLICATES && runs < RUNS) {
      const price = priceOfRun(sd, { believedGain: first - parent.mean, runs });
      if (worthOfReplicate(standing, scores) <= price) break;
      const count = scores.count + 1;
      scores = { mean: (scores.mean * scores.count + measure()) / count, count };
      runs += 1;
    }
    const verdict = judge(standing, scores);
    likelihoods.push(verdict.likelihoods);
    parent = verdict.adopt ? verdict.child : verdict.parent;
    if (verdict.adopt) adopt(came, effect);
    if (likelihoods.length % LEARN_EVERY === 0) weights = learnedWeights(likelihoods);
  }
  return { ...came, own: first - parent.mean };
}

const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;
function standardError(all: readonly number[]): number {
  const middle = mean(all);
  return Math.sqrt(mean(all.map((one) => (one - middle) ** 2)) / (all.length - 1));
}

function summary(came: readonly Came[]): Record<keyof Came, number> {
  const of = (field: keyof Came): number => mean(came.map((one) => one[field]));
  return { gain: 1e4 * of('gain'), own: 1e4 * of('own'), adopted: of('adopted'), notBetter: of('notBetter') };
}

const repetitions = Number(values.repetitions);
const rows = SCENARIOS.flatMap((scenario) =>
  SDS.map((sd) => {
    const pairs = Array.from({ length: repetitions }, (_, i) => {
      const seed = Number(values.seed) * 1_000_003 + i;
      const effects = proposals(new Dice(seed), scenario);
      return {
        a: posterior(effects, sd, new Dice(seed ^ 0x5bd1e995)),
        b: greedy(effects, sd, new Dice(seed ^ 0x1b873593)),
      };
    });
    const differences = pairs.map(({ a, b }) => 1e4 * (a.gain - b.gain));
    const row = {
      scenario: scenario.name,
      sd,
      posterior: summary(pairs.map(({ a }) => a)),
      greedy: summary(pairs.map(({ b }) => b)),
      difference: mean(differences),
      standardError: standardError(differences),
    };
    const { posterior: p, greedy: g } = row;
    process.stderr.write(
      `${scenario.name.padEnd(24)} sd ${sd}: posterior ${p.gain.toFixed(1)} (own ${p.own.toFixed(1)}), ` +
        `greedy ${g.gain.toFixed(1)} (own ${g.own.toFixed(1)}), difference ${row.difference.toFixed(1)} ± ` +
        `${row.standardError.toFixed(1)}; adopted ${p.adopted.toFixed(1)} (${p.notBetter.toFixed(1)} no better), ` +
        `greedy ${g.adopted.toFixed(1)} (${g.notBetter.toFixed(1)})\n`,
    );
    return row;
  }),
);
process.stdout.write(`${JSON.stringify({ schema: 'assay.bench.adopt/1', repetitions, runs: RUNS, rows })}\n`);
