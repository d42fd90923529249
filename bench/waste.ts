import { certainMargins, firstMiss, margins } from '../src/domain/task/gates.js';
import {
  needsAnother,
  projectionOf,
  rehearsalFailure,
  type Rehearsed,
} from '../src/domain/task/rehearsal.js';
import { gateSchema } from '../src/domain/task/schema/gate.js';

/**
 * Replays the failure mix of the paper's main run by simulation: first in its order of gates, then through ours, with
 * the gates' own code. No model, no server: what agents do with an answer is an assumption, and is varied.
 *
 *   node --import tsx bench/waste.ts
 */
const MIX = { sizeNear: 236, sizeFar: 83, evaluationOverrun: 55, crash: 38, abort: 42, good: 446 } as const;
const TRAIN_S = 600;
const EVALUATE_S = 600;
/**
 * Seconds of a crash or an abort, in both orders: the one free figure, fitted so that the paper's order comes to 46.6
 * %.
 */
const CUT_SHORT_S = 228;
const CAP = 16_000_000;
const CODE = 60_000;
const SIZE = [gateSchema.parse({ name: 'size', metric: 'bytes', max: CAP, known: 'pack' })];

type Kind = keyof typeof MIX;
interface Trial {
  kind: Kind;
  /** Exact packed bytes, code included. */
  bytes: number;
  /** Time of its evaluation, as a multiple of the limit. */
  ratio: number;
}

/** Assumptions that cannot be known beforehand; every share is of the trials that it could concern. */
interface Assumptions {
  /** Standard deviation of the smoke's projected size around the exact one, in bytes. */
  projectionSd: number;
  /** Share of warned trials that their agents repair before they submit them. */
  heed: number;
  /** Share of size misses that are packed again from their checkpoint instead of being trained again. */
  repack: number;
  /** Share of evaluation overruns fixed by a change to serving alone, which takes the artifact over. */
  serveOnly: number;
  /** Share of crashes that check and smoke find before a lease is taken. */
  smoke: number;
  /** True where evaluations are rehearsed before training; in pools with accelerators they cannot be. */
  rehearsal: boolean;
  /** Share of an evaluation that is rehearsed. */
  share: number;
  /** Seconds until a server first answers. */
  startS: number;
  /** Standard deviation of the logarithm of a rehearsal's seconds. */
  rehearsalSd: number;
  /**
   * True where an evaluation ends when its own pace says that it cannot end in time, as assay's evaluator kit does.
   */
  paced: boolean;
  /** Mean of what an overrun takes beyond its limit, as a part of the limit; exponential. */
  excess: number;
}

const LIKELY: Assumptions = {
  projectionSd: 1000,
  heed: 0.8,
  repack: 0.8,
  serveOnly: 0.3,
  smoke: 0.6,
  rehearsal: true,
  share: 0.1,
  startS: 10,
  rehearsalSd: 0.1,
  paced: true,
  excess: 0.5,
};
const VARIED: { name: string; change: Partial<Assumptions> }[] = [
  { name: 'as assumed', change: {} },
  { name: 'with accelerators', change: { rehearsal: false } },
  { name: 'with them, overruns run out', change: { rehearsal: false, paced: false } },
  { name: 'rehearsals off by 30 %', change: { rehearsalSd: 0.3 } },
  { name: 'overruns 10 % over on average', change: { excess: 0.1 } },
  { name: 'overruns twice as long', change: { excess: 1 } },
  { name: 'agents ignore every answer', change: { heed: 0, repack: 0, serveOnly: 0 } },
  { name: 'projection exact', change: { projectionSd: 0 } },
  { name: 'projection off by 4 kB', change: { projectionSd: 4000 } },
  { name: 'no warning heeded', change: { heed: 0 } },
  { name: 'no miss packed again', change: { repack: 0 } },
  { name: 'every miss packed again', change: { repack: 1 } },
  { name: 'smoke finds no crash', change: { smoke: 0 } },
  { name: 'overruns never by serving', change: { serveOnly: 0 } },
  { name: 'overruns always by serving', change: { serveOnly: 1 } },
  {
    name: 'everything at its best',
    change: { projectionSd: 0, heed: 1, repack: 1, serveOnly: 1, smoke: 1, rehearsalSd: 0 },
  },
];

/** Mulberry32: the same figures on every machine. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Evaluations that keep their limit take 60 to 100 % of it: uniform, by assumption. */
const goodRatio = (random: () => number): number => 0.6 + 0.4 * random();

/** Near misses are 1 to 4,000 bytes over, far ones up to 40,000; the others up to 8,000 under: uniform, by assumption. */
function trialsFrom(excess: number, random: () => number): Trial[] {
  const over = (kind: Kind): number => {
    if (kind === 'sizeNear') return 1 + Math.floor(random() * 4000);
    if (kind === 'sizeFar') return 4001 + Math.floor(random() * 36_000);
    return -Math.floor(random() * 8000);
  };
  const ratio = (kind: Kind): number =>
    kind === 'evaluationOverrun' ? 1 - excess * Math.log(1 - random()) : goodRatio(random);
  const kinds: Kind[] = ['sizeNear', 'sizeFar', 'evaluationOverrun', 'crash', 'abort', 'good'];
  return kinds.flatMap((kind) =>
    Array.from({ length: MIX[kind] }, () => ({ kind, bytes: CAP + over(kind), ratio: ratio(kind) })),
  );
}

interface Cost {
  usedS: number;
  lostS: number;
}
const lost = (seconds: number): Cost => ({ usedS: seconds, lostS: seconds });
const FULL = TRAIN_S + EVALUATE_S;

/** The paper's order: size and time are found out when everything has run. */
function theirs({ kind }: Trial): Cost {
  if (kind === 'good') return { usedS: FULL, lostS: 0 };
  return lost(kind === 'crash' || kind === 'abort' ? CUT_SHORT_S : FULL);
}

/** The rehearsals of a trial whose evaluation takes `ratio` × its limit, judged by the gate's own code. */
function rehearsed(ratio: number, by: Assumptions, random: () => number) {
  const runs: Rehearsed[] = [];
  const { share, startS, rehearsalSd } = by;
  do {
    const servedS = share * (ratio * EVALUATE_S - startS) * Math.exp(rehearsalSd * normal(random));
    runs.push({ greetS: startS, servedS, late: null, hostSpeed: 1 });
  } while (needsAnother(runs, share, EVALUATE_S));
  return {
    over: rehearsalFailure(runs, share, EVALUATE_S, '') !== null,
    warned: (projectionOf(runs, share, EVALUATE_S)?.seconds ?? 0) > EVALUATE_S,
  };
}

function ours(trial: Trial, by: Assumptions, random: () => number): Cost {
  const { kind, bytes, ratio } = trial;
  if (firstMiss(certainMargins(SIZE, CODE)) !== undefined) return lost(0);
  const projected = bytes + by.projectionSd * normal(random);
  const warned = firstMiss(margins(SIZE, { bytes: projected })) !== undefined;
  const missed = firstMiss(margins(SIZE, { bytes })) !== undefined;
  // a trial that was made smaller before it was submitted costs what any other one costs
  if (missed && warned && random() < by.heed) return { usedS: FULL, lostS: 0 };
  if (kind === 'crash' && random() < by.smoke) return lost(0);
  if (by.rehearsal) {
    const { over, warned: slow } = rehearsed(ratio, by, random);
    // told by the check, before it is submitted
    if (kind === 'evaluationOverrun' && slow && random() < by.heed) return { usedS: FULL, lostS: 0 };
    if (over) return lost(0);
  }
  return afterGates(trial, missed, by, random);
}

/** The kit's TELLING and DOUBT (evaluator-kit/assay_serving/pace.py). */
const [TELLING, DOUBT] = [0.1, 0.25];

/** Seconds until an evaluation that would take `ratio` × its limit is ended, at an even pace. */
function evaluatedFor(ratio: number, { paced }: Assumptions): number {
  const telling = paced ? Math.max(TELLING, 1 - (ratio - 1) / DOUBT) : 1;
  return EVALUATE_S * Math.min(1, telling * ratio);
}

function afterGates({ kind, ratio }: Trial, missed: boolean, by: Assumptions, random: () => number): Cost {
  // the training is used by the trial that packs it again, and only its evaluation is to come
  if (missed) return random() < by.repack ? { usedS: FULL, lostS: 0 } : lost(TRAIN_S);
  if (kind === 'evaluationOverrun') {
    const evaluatedS = evaluatedFor(ratio, by);
    if (random() >= by.serveOnly) return lost(TRAIN_S + evaluatedS);
    return { usedS: FULL + evaluatedS, lostS: evaluatedS };
  }
  return kind === 'crash' || kind === 'abort' ? lost(CUT_SHORT_S) : { usedS: FULL, lostS: 0 };
}

const ROUNDS = 200;

interface Line {
  name: string;
  lostShare: number;
  /** Share of all accelerator time that each kind of failure lost. */
  byKind: Partial<Record<Kind, number>>;
}

function replay(name: string, excess: number, cost: (trial: Trial, random: () => number) => Cost): Line {
  let used = 0;
  const lostBy = new Map<Kind, number>();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const random = randomFrom(round);
    for (const trial of trialsFrom(excess, random)) {
      const { usedS, lostS } = cost(trial, random);
      used += usedS;
      lostBy.set(trial.kind, (lostBy.get(trial.kind) ?? 0) + lostS);
    }
  }
  const share = (seconds: number): number => Number((seconds / used).toFixed(4));
  const byKind = Object.fromEntries(
    [...lostBy].filter(([, s]) => s > 0).map(([kind, s]) => [kind, share(s)]),
  );
  return { name, lostShare: share([...lostBy.values()].reduce((sum, s) => sum + s, 0)), byKind };
}

const percent = (value: number | undefined): string => `${((value ?? 0) * 100).toFixed(1)} %`.padStart(8);
const baseline = replay("the paper's order", LIKELY.excess, (trial) => theirs(trial));
const lines = VARIED.map(({ name, change }) =>
  replay(name, change.excess ?? LIKELY.excess, (trial, random) =>
    ours(trial, { ...LIKELY, ...change }, random),
  ),
);
const COLUMNS = ['sizeNear', 'sizeFar', 'evaluationOverrun', 'crash', 'abort'] as const;
process.stderr.write(
  [
    `${''.padEnd(30)}    lost    ≤ 4 kB    > 4 kB  overruns   crashes    aborts`,
    ...[baseline, ...lines].map(({ name, lostShare, byKind }) =>
      [name.padEnd(30), percent(lostShare), ...COLUMNS.map((kind) => percent(byKind[kind]))].join('  '),
    ),
    `assumed unless a line says otherwise: ${JSON.stringify(LIKELY)}; aim: at most 5 %`,
    '',
  ].join('\n'),
);
const assumptions = { mix: MIX, trainS: TRAIN_S, evaluateS: EVALUATE_S, cutShortS: CUT_SHORT_S, ...LIKELY };
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.waste/1', assumptions, rounds: ROUNDS, aim: 0.05, baseline, ours: lines })}\n`,
);
