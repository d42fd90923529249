/**
 * Cost of a decision late in a long campaign: CPU of this process for one call of `Decisions.decide`, whose inputs
 * are read from a real store and whose document is written there. The campaign is decided from its start on, trial by
 * trial, so that what the last decisions find is what they would find.
 * `node --import tsx bench/decision-cost.ts --trials 10000` prints progress and a table on stderr, and JSON
 * (assay.bench.decision-cost/1) on stdout.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';
import { findServers } from '../src/dev/servers.js';
import { LEARN_EVERY, LEARN_FROM } from '../src/domain/decision/belief/effect-learning.js';
import { ruleNamed, ruleNameSchema } from '../src/domain/decision/records/record.js';
import { openLineage } from '../src/lineage/lineage.js';
import { candidate } from '../test/builders/candidate.js';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '10000' },
    /** Number of the last trials that are measured. */
    last: { type: 'string', default: '200' },
    lanes: { type: 'string', default: '10' },
    rule: { type: 'string', default: 'posterior' },
    seed: { type: 'string', default: '1' },
  },
});
const [trials, last, lanes] = [Number(values.trials), Number(values.last), Number(values.lanes)];
const named = ruleNamed(ruleNameSchema.parse(values.rule));
const OWNER = 'bench/decision-cost';
const CALIBRATION = 5;
const SD = 5e-4;
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const bits = xoroshiro128plus(Number(values.seed));
const uniform = (): number => ((bits.next() >>> 0) + 0.5) / 2 ** 32;
const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const exponential = (mean: number): number => -mean * Math.log(uniform());

/** Draws an effect: of ten edits one is better than its parent and four are worse. */
function effect(): number {
  const u = uniform();
  if (u < 0.1) return -exponential(4e-4);
  return u < 0.5 ? exponential(2e-3) : 0;
}

interface Call {
  trial: number;
  /** CPU in milliseconds, user and system. */
  cpu: number;
  wall: number;
  /** True where it learned the weights of effects again. */
  learned: boolean;
  began: number;
}

/** Major collections of garbage, by the clock of `performance.now`. */
const collections: { began: number; end: number }[] = [];
const entrySchema = z.object({
  startTime: z.number(),
  duration: z.number(),
  detail: z.object({ kind: z.number() }),
});
const collector = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { startTime, duration, detail } = entrySchema.parse(entry);
    if (detail.kind !== constants.NODE_PERFORMANCE_GC_MINOR)
      collections.push({ began: startTime, end: startTime + duration });
  }
});
collector.observe({ entryTypes: ['gc'] });

const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
const servers = await findServers({ home, need: ['store'], say });
const lineage = await openLineage(servers.store);
const { decisions } = lineage;

/** True scores of trials; no other part of a trial is needed to decide it. */
const truth = new Map<number, number>([[0, 1]]);
const calls: Call[] = [];
/** Parents of the trials in flight: each lane continues from the frontier of its submit. */
const inFlight = Array.from({ length: lanes }, () => 0);
let sequence = 0;
let runs = 0;

/** Measures a trial until it is decided; returns the frontier after it. */
async function decide(trial: number, parent: number | null): Promise<number> {
  const at = truth.get(trial) ?? 1;
  const scores = [at + SD * normal()];
  const open = inFlight.filter((_, lane) => lane !== trial % lanes);
  for (;;) {
    const learned = sequence > 0 && sequence % LEARN_EVERY === 0;
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    const made = await decisions.decide(
      candidate(OWNER, trial, 0, {
        ...named,
        parent,
        scores,
        open,
        calibration: CALIBRATION,
        mayRepeat: true,
      }),
    );
    const { user, system } = process.cpuUsage(cpu);
    calls.push({ trial, cpu: (user + system) / 1000, wall: performance.now() - wall, learned, began: wall });
    runs += 1;
    if (made === 'again') {
      scores.push(at + SD * normal());
      continue;
    }
    sequence = made.sequence;
    return made.frontier.trial;
  }
}

let frontier = await decide(0, null);
for (let trial = 1; trial <= trials; trial += 1) {
  const parent = inFlight[trial % lanes] ?? frontier;
  truth.set(trial, (truth.get(parent) ?? 1) + effect());
  frontier = await decide(trial, parent);
  inFlight[trial % lanes] = frontier;
  if (trial % 1000 === 0) say(`${trial} trials, ${runs} runs, frontier ${frontier}`);
}

const sorted = (figures: readonly number[]): number[] => [...figures].sort((a, b) => a - b);
const quantile = (figures: readonly number[], q: number): number =>
  sorted(figures)[Math.min(figures.length - 1, Math.floor(q * figures.length))] ?? NaN;
const figuresOf = (of: readonly Call[], figure: 'cpu' | 'wall') => {
  const all = of.map((call) => call[figure]);
  return {
    calls: all.length,
    median: quantile(all, 0.5),
    p95: quantile(all, 0.95),
    largest: Math.max(...all),
  };
};
const late = calls.filter(({ trial }) => trial > trials - last);
/** Threads of the runtime mark the whole heap now and then, beside whatever call there is; it is CPU all the same. */
const isCollecting = ({ began, wall }: Call): boolean =>
  collections.some((collected) => collected.end > began && collected.began < began + wall);
const parts = {
  all: figuresOf(late, 'cpu'),
  learning: figuresOf(
    late.filter(({ learned }) => learned),
    'cpu',
  ),
  collecting: figuresOf(late.filter(isCollecting), 'cpu'),
  others: figuresOf(
    late.filter((call) => !call.learned && !isCollecting(call)),
    'cpu',
  ),
  wall: figuresOf(late, 'wall'),
};
const document = await decisions.last(OWNER);
const result = {
  schema: 'assay.bench.decision-cost/1',
  cores: cpus().length,
  store: servers.store.how,
  asked: values,
  runs,
  adopted: (document?.frontier.version ?? 1) - 1,
  documentBytes: JSON.stringify(document).length,
  milliseconds: parts,
};
say(
  `the last ${last} of ${trials} trials, milliseconds a call (aim: 20 of CPU), weights learned from ${LEARN_FROM}`,
);
for (const [name, { calls: n, median, p95, largest }] of Object.entries(parts))
  say(
    `${name.padEnd(10)} ${String(n).padStart(5)} calls   median ${median.toFixed(1)}   p95 ${p95.toFixed(1)}   largest ${largest.toFixed(1)}`,
  );
process.stdout.write(`${JSON.stringify(result)}\n`);
await lineage.close();
await servers.stop();
await rm(home, { recursive: true, force: true });
