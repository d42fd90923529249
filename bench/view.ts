/**
 * Time of building the view that a session is opened with, in campaigns of 100 and of 10,000 trials whose documents
 * are put straight into a store, and whether it keeps its budget of tokens (estimated at four characters each).
 * `node --import tsx bench/view.ts` prints progress on stderr and JSON (assay.bench.view/1) on stdout; it exits with 1
 * where the larger campaign takes more than twice as long, or a view is over its budget.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MongoClient, type Db, type Document } from 'mongodb';
import { findServers } from '../src/dev/servers.js';
import { trialKey } from '../src/domain/keys.js';
import { taskSchema } from '../src/domain/task/task.js';
import { unmeasured, type Outcome } from '../src/domain/trial/outcome.js';
import { keyOf } from '../src/lineage/decisions/decision-place.js';
import { openLineage, type Lineage } from '../src/lineage/lineage.js';
import { rowOf } from '../src/lineage/trials/view.js';
import { CHARS_PER_TOKEN, renderView } from '../src/model/view/render-view.js';
import { lineageView } from '../src/session/lineage-view.js';
import { candidate } from '../test/builders/candidate.js';
import { frozenOf } from '../test/builders/frozen-campaign.js';

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '100,10000' },
    repeats: { type: 'string', default: '60' },
    tokens: { type: 'string', default: '6000' },
  },
});
const sizes = values.sizes.split(',').map(Number);
const [repeats, tokens] = [Number(values.repeats), Number(values.tokens)];
const say = (line: string): boolean => process.stderr.write(`${line}\n`);

const OWNER = 'bench/view';
const ROLES = ['opt', 'arch', 'size'];
const KINDS = ['crash', 'size_blocked', 'discard', 'discard', 'train_budget_overrun', 'discard'] as const;
/** Trials that are entered as a campaign enters them; the others are copies of the last of them. */
const REAL = 48;

const SPEC = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'bench-view',
  title: 'A task for the view',
  metric: { name: 'bpb', unit: 'bits/byte', direction: 'minimize' },
  recipe: { editable: ['train.py'] },
  resources: {},
  phases: { train: { run: 'true', timeout_s: 5, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'true', timeout_s: 5 },
  specialists: ROLES,
});

const report = (score: number): string =>
  [
    `${score.toFixed(4)} bits/byte on 65536 bytes.`,
    ...Array.from({ length: 8 }, (_, at) => `  kind of byte ${at}   ${(score * (1 + at / 9)).toFixed(3)}`),
  ].join('\n');

function outcomeOf(number: number): Outcome {
  const status = KINDS[number % KINDS.length] ?? 'discard';
  const score = 2 - 0.001 * (number % 37);
  if (status !== 'discard') return unmeasured(status, `train: it ended as ${status} at step ${number}`);
  const measured = { score, metrics: { bpb: score, bytes: 22_348, code_bytes: 10_079 } };
  return { ...unmeasured(status, 'worse than trial 8 by 0.01'), ...measured, feedback: report(score) };
}

/** Enters a campaign and its first trials as a campaign does. */
async function begin(lineage: Lineage): Promise<void> {
  const task = await lineage.tasks.push(SPEC, [{ path: 'task.yaml', bytes: Buffer.from('x') }], 'person');
  const lanes = ROLES.map((role) => ({ role, lane: `${role}-1` }));
  const frozen = frozenOf('bench-view', OWNER, {
    task: { name: SPEC.name, digest: task._id, title: SPEC.title },
    lanes,
  });
  await lineage.campaigns.freeze(frozen);
  await lineage.budgets.create(OWNER, { ...frozen.limits, trials: 100_000, submissions: 100_000 });
  const snapshot = await lineage.blobs.putTree([{ path: 'train.py', bytes: Buffer.from('a = 1\n') }]);
  const diff = Array.from({ length: 60 }, (_, at) => `+    line_${at} = ${at}`).join('\n');
  const proposal = {
    ...{
      owner: OWNER,
      campaign: 'bench-view',
      snapshot,
      parentSnapshot: snapshot,
      changes: diff.slice(0, 400),
    },
    ...{ diff: await lineage.blobs.put(diff), expectedDelta: -0.02, domain: null, edit: null, similar: null },
    ...{ twinScope: null, session: null, turn: null },
  };
  const first = {
    ...proposal,
    submitKey: 'start',
    parent: null,
    hypothesis: 'the start',
    role: 'start',
    lane: 'start',
  };
  await lineage.trials.insertStart(first);
  for (let number = 0; number < REAL; number += 1) {
    const role = ROLES[number % ROLES.length] ?? 'opt';
    const hypothesis = `Trial ${number} changes the schedule of the step size and its warm-up: ${'why it should help, '.repeat(6)}`;
    const own = { submitKey: `s${number}`, snapshot: number.toString(16).padStart(64, '0'), parent: 0 };
    if (number > 0)
      await lineage.trials.submit({ ...proposal, ...own, hypothesis, role, lane: `${role}-1` }, LIMITS);
    const isKept = number < 9;
    const score = isKept ? 2.1 - number * 0.01 : 2 - 0.001 * (number % 37);
    const outcome = isKept
      ? { ...unmeasured('keep' as const, 'better'), score, metrics: { bpb: score }, feedback: report(score) }
      : outcomeOf(number);
    const decision = await lineage.decisions.decide(candidate(OWNER, number, score + (isKept ? 0 : 1)));
    if (decision === 'again') throw new Error('one run is enough');
    await settle(lineage, number, { ...outcome, decision: outcome.score === null ? null : decision._id });
  }
}

const LIMITS = { trials: 100_000, submissions: 100_000 };

async function settle(lineage: Lineage, number: number, outcome: Outcome): Promise<void> {
  const settled = await lineage.trials.settle(OWNER, number, outcome);
  await lineage.leaderboards.record(OWNER, await rowOf(lineage, settled), 'minimize');
}

/** Copies the last trials, decisions and a session with its note until there are `size` of them. */
async function fill(lineage: Lineage, database: Db, size: number): Promise<void> {
  const trials = database.collection<Document & { _id: string }>('trials');
  const decisions = database.collection<Document & { _id: string }>('decisions');
  const models = await lineage.trials.latest(OWNER, 12);
  const last = await lineage.decisions.last(OWNER);
  if (last === null) throw new Error('nothing is decided');
  for (let from = REAL; from <= size; from += 1000) {
    const numbers = Array.from({ length: Math.min(1000, size - from + 1) }, (_, at) => from + at);
    await trials.insertMany(
      numbers.map((number) => {
        const model = models[number % models.length];
        if (model === undefined) throw new Error('no model');
        return {
          ...model,
          _id: trialKey(OWNER, number),
          number,
          submitKey: `s${number}`,
          slot: `${OWNER}/c/${number}`,
        };
      }),
    );
    await decisions.insertMany(
      numbers.map((number) => ({
        ...last,
        _id: keyOf(OWNER, last.sequence + number - REAL + 1),
        sequence: last.sequence + number - REAL + 1,
        trial: number,
        decides: trialKey(OWNER, number),
      })),
    );
  }
  await database
    .collection<Document & { _id: string }>('counters')
    .updateOne({ _id: OWNER }, { $set: { number: size, counted: size } });
  const newest = (await lineage.trials.latest(OWNER, 90)).reverse();
  for (const trial of newest)
    await lineage.leaderboards.record(OWNER, await rowOf(lineage, trial), 'minimize');
  if (newest.at(-1)?.number !== size) throw new Error(`trial ${size} is not found`);
}

async function addSessions(lineage: Lineage, size: number): Promise<void> {
  const digest = '0'.repeat(64);
  for (let index = 0; index < size / 4; index += 1) {
    const role = ROLES[index % ROLES.length] ?? 'opt';
    await lineage.sessions.open({
      ...{ _id: `${OWNER}/${role}-1/${index}`, owner: OWNER, role, lane: `${role}-1`, index, base: 0 },
      ...{ snapshot: digest, system: digest, opening: digest, submitted: [], repeats: [] },
      notes: [{ call: 'a', text: 'LR above 1 diverges; try a warm-up. '.repeat(8), at: new Date() }],
      ...{ openedAt: new Date(), closedAt: new Date(), closedBecause: 'finished' },
    });
  }
}

interface Measured {
  trials: number;
  medianMs: number;
  p90Ms: number;
  tokens: number;
  isWithinBudget: boolean;
}

async function measure(lineage: Lineage, size: number): Promise<Measured> {
  const campaign = await lineage.campaigns.byOwner(OWNER);
  const frontier = await lineage.decisions.frontier(OWNER);
  if (frontier === null) throw new Error('no frontier');
  const viewer = { campaign, task: SPEC, role: 'opt', session: 'none', neighbours: null };
  const times: number[] = [];
  let text = '';
  for (let repeat = -10; repeat < repeats; repeat += 1) {
    const began = performance.now();
    text = renderView(await lineageView(lineage, viewer, frontier), tokens);
    if (repeat >= 0) times.push(performance.now() - began);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number =>
    Number((times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2));
  const used = Math.ceil(text.length / CHARS_PER_TOKEN);
  return { trials: size, medianMs: at(0.5), p90Ms: at(0.9), tokens: used, isWithinBudget: used <= tokens };
}

const home = await mkdtemp(join(tmpdir(), 'assay-bench-'));
const servers = await findServers({ home, need: ['store'], say });
const client = new MongoClient(servers.store.url);
const results: Measured[] = [];
try {
  for (const size of sizes) {
    const database = `bench_view_${size}`;
    const lineage = await openLineage({ ...servers.store, database });
    await begin(lineage);
    await fill(lineage, client.db(database), size);
    await addSessions(lineage, size);
    const measured = await measure(lineage, size);
    say(`${size} trials: ${measured.medianMs} ms (90 %: ${measured.p90Ms}), about ${measured.tokens} tokens`);
    results.push(measured);
    await lineage.close();
  }
} finally {
  await client.close();
  await servers.stop();
  await rm(home, { recursive: true, force: true });
}
const [small, large] = [results[0], results.at(-1)];
const ratio = Number(((large?.medianMs ?? NaN) / (small?.medianMs ?? NaN)).toFixed(2));
const isGood = ratio <= 2 && results.every(({ isWithinBudget }) => isWithinBudget);
process.stdout.write(
  `${JSON.stringify({ schema: 'assay.bench.view/1', cores: cpus().length, budget: tokens, results, ratio, isGood }, null, 2)}\n`,
);
process.exitCode = isGood ? 0 : 1;
