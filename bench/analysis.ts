/**
 * Cost of a report on a long search: CPU and memory of every analysis together, and of the page, over trials that are
 * made up here. Their hypotheses have words as rare as those of a language are, and each is a variation of one of many
 * ideas. `node --expose-gc --import tsx bench/analysis.ts --trials 10000` prints a table on stderr, and JSON
 * (assay.bench.analysis/1) on stdout.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { archiveReport } from '../src/analysis/report/archive-report.js';
import { html } from '../src/analysis/report/html.js';
import { markdown } from '../src/analysis/report/markdown.js';
import { clusterInOrder } from '../src/domain/text/clusters.js';
import { nearDuplicates } from '../src/domain/text/near-duplicates.js';
import { textVectors } from '../src/domain/text/text-vectors.js';
import { findPlateau } from '../src/analysis/noise/plateau.js';
import { keptSteps } from '../src/analysis/noise/kept-steps.js';
import type { Trajectory, TrajectoryTrial } from '../src/analysis/trajectory/trajectory.js';

const { values } = parseArgs({
  options: { trials: { type: 'string', default: '10000' }, seed: { type: 'string', default: '1' } },
});
const TRIALS = Number(values.trials);
const ROLES = ['arch', 'opt', 'quant', 'reg', 'loss', 'eval', 'curr', 'tok', 'ttt', 'meta'];
const WORDS = 6000;
/** Words of a hypothesis in the paper's release: 45 in the mean. */
const LENGTH = 45;
const bits = xoroshiro128plus(Number(values.seed));
const uniform = (): number => ((bits.next() >>> 0) + 0.5) / 2 ** 32;
const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
/** A word whose frequency falls with its rank, as in a language. */
const word = (): string => `w${Math.floor(Math.exp(uniform() * Math.log(WORDS)))}`;
const ideas = Array.from({ length: Math.ceil(TRIALS / 4) }, () => Array.from({ length: 20 }, word));
const oneOf = <T>(some: readonly T[], otherwise: T): T =>
  some[Math.floor(uniform() * some.length)] ?? otherwise;

function trialOf(number: number, best: { score: number; number: number }): TrajectoryTrial {
  const drawn = best.score + Math.abs(normal()) * 0.01 + normal() * 5e-4;
  const failed = uniform() < 0.4;
  const kept = !failed && drawn < best.score;
  const idea = oneOf(ideas, []);
  const [trainMs, evaluateMs] = [600_000 + 1e4 * uniform(), 500_000 + 1e5 * uniform()];
  return {
    id: String(number).padStart(5, '0'),
    number,
    role: oneOf(ROLES, 'opt'),
    domain: oneOf(ROLES, 'opt'),
    edit: null,
    model: null,
    ending: failed ? oneOf(['crash', 'size_blocked'] as const, 'crash') : kept ? 'keep' : 'discard',
    stage: null,
    cause: failed ? `step ${number}: ValueError: bad (train.py:${number} in main)` : '',
    score: failed ? null : drawn,
    runs: failed ? [] : [drawn],
    metrics: { bpb: 0.78 + 1e-3 * uniform() },
    artifactBytes: null,
    parent: best.number,
    hypothesis: [...idea, ...Array.from({ length: LENGTH - idea.length }, word)].join(' '),
    expectedDelta: -0.001 * uniform(),
    believedGain: null,
    startedAt: number * 60_000,
    endedAt: number * 60_000 + trainMs + evaluateMs,
    times: { queueMs: 1000, trainMs, evaluateMs, totalMs: trainMs + evaluateMs + 3000 },
    costs: { microUsd: 1000, acceleratorMs: 8 * trainMs, savedMs: null },
  };
}

function madeUp(): Trajectory {
  let best = { score: 1.1, number: 0 };
  const trials: TrajectoryTrial[] = [];
  for (let number = 1; number <= TRIALS; number += 1) {
    const trial = trialOf(number, best);
    trials.push(trial);
    if (trial.ending === 'keep' && trial.score !== null) best = { score: trial.score, number };
  }
  const start = {
    ...trialOf(0, { score: 1.1, number: 0 }),
    ending: 'keep' as const,
    score: 1.1,
    runs: [1.1],
  };
  const metric = { name: 'val_bpb', unit: '', direction: 'minimize' } as const;
  return { name: 'bench', source: 'archive', metric, start, trials, noise: null, toolCalls: [], unread: [] };
}

function measured<T>(what: string, work: () => T): { what: string; cpuMs: number; result: T } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { what, cpuMs: (user + system) / 1000, result };
}

const trajectory = madeUp();
const texts = trajectory.trials.map(({ hypothesis }) => hypothesis);
const empty = { ragged: 0, multiline: 0, unclosed: 0, prefixedParents: 0, embedded: 0, oddNumbers: 0 };
const run = { trajectory, recorded: new Map(), rows: TRIALS, repairs: empty, refused: [] };
const before = process.memoryUsage().rss;
const whole = measured('every analysis', () => archiveReport({ run, contradictions: [] }));
const peak = process.resourceUsage().maxRSS * 1024;
const { document, facts } = whole.result;
const parts = [
  whole,
  measured('of it clusters', () => clusterInOrder(textVectors(texts))),
  measured('of it near duplicates', () => nearDuplicates(textVectors(texts))),
  measured('of it the plateau', () => findPlateau(trajectory)),
  measured('of it adoptions beside noise', () => keptSteps(trajectory, 5e-4)),
  measured('the page', () => html(document)),
  measured('the Markdown', () => markdown(document)),
].map(({ what, cpuMs }) => ({ what, cpuMs: Math.round(cpuMs) }));
for (const { what, cpuMs } of parts) process.stderr.write(`${String(cpuMs).padStart(7)} ms CPU  ${what}\n`);
process.stderr.write(
  `${Math.round(peak / 1e6)} MB at most, of which ${Math.round(before / 1e6)} MB before; ${facts.proposals.all.clusters} clusters, ${facts.steps.length} adoptions\n`,
);
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.analysis/1', trials: TRIALS, parts, peakRssBytes: peak, processor: cpus()[0]?.model ?? null })}\n`,
);
