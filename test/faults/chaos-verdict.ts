import { z } from 'zod';
import { decisionDocument } from '../../src/lineage/documents/decision.js';
import { ledgerDocument, type LedgerDocument } from '../../src/lineage/documents/ledger.js';
import { replicateDocument, type ReplicateDocument } from '../../src/lineage/documents/replicate.js';
import { replyDocument, turnDocument } from '../../src/lineage/documents/session.js';
import { trialDocument, type TrialDocument } from '../../src/lineage/documents/trial.js';
import { START } from '../../src/domain/keys.js';
import { auditOf, violationsOf } from '../workflows/audited.js';
import type { ChaosGround } from './chaos-ground.js';
import { hostSide, serverSide, tally } from './chaos-outside.js';
import type { Kill } from './chaos-kill.js';

export interface Counts {
  submitted: number;
  counted: number;
  statuses: Record<string, number>;
  /** Requests to the model beyond one a turn. */
  exposed: number;
  /** Trainings and evaluations that were begun and repeated because a fault cut them off. */
  lost: number;
  /** Histories that the present workflows replay. */
  replayed: number;
  /** Trainings and evaluations that the process table showed. */
  seen: number;
}

export interface Case {
  name: string;
  trials: number;
  /** Fresh runs of the start and of the frontier for the claim. */
  claimRuns: number;
  kills: readonly Kill[];
}

/** Statuses that a knob of byte-golf can lead to; every other one would be a fault blamed on a recipe. */
const HONEST = ['keep', 'discard', 'disqualified', 'size_blocked', 'duplicate'];
/** The process table is looked at every so often, and a result is dated shortly before it is published. */
const LATE_MS = 250;

/** Everything that the store, the server, the model's endpoint and the host can say against a run. */
export async function verdictOn(
  ground: ChaosGround,
  of: Case,
): Promise<{ counts: Counts; violations: string[] }> {
  const { lineage, gate, witness } = ground;
  const { owner, frozen, active } = await lineage.campaigns.byName(of.name);
  const rest = await settledRest(ground, owner);
  const [trials, replicates, ledger] = [
    await all(ground, 'trials', trialDocument),
    await all(ground, 'replicates', replicateDocument),
    await all(ground, 'ledger', ledgerDocument),
  ];
  const phases = phasesRepeated(replicates, [...witness.runs.values()], ledger, of.kills);
  const money = await repliesPaid(ground, of, owner, ledger);
  const lanes = frozen.lanes.map(({ lane }) => `${of.name}/${lane}`);
  const server = await serverSide(ground, of.name, trials, lanes);
  const violations = [
    ...rest,
    ...(Object.keys(active).length === 0 ? [] : [`active work is left: ${Object.keys(active).join(', ')}`]),
    ...numbering(trials, of.trials),
    ...statuses(trials),
    ...(await decisions(ground, trials)),
    ...(await claimed(ground, owner, of.claimRuns, replicates)),
    ...phases.violations,
    ...money.violations,
    ...server.violations,
    ...(await hostSide(ground)),
    ...(await audited(ground, of.name)),
  ];
  return {
    violations,
    counts: {
      submitted: trials.filter(({ number }) => number > 0).length,
      counted: trials.filter(({ slot }) => slot.includes('/c/')).length,
      statuses: tally(trials.filter(({ number }) => number > 0).map(({ status }) => status ?? 'none')),
      exposed: [...gate.requests.values()].reduce((sum, { length }) => sum + length - 1, 0),
      lost: phases.lost,
      replayed: server.replayed,
      seen: phases.seen,
    },
  };
}

/** Audits every host once its workers have ended and reconcile has settled the rest. */
async function audited(ground: ChaosGround, name: string): Promise<string[]> {
  const { lineage, client, temporal, workers } = ground;
  const { namespace } = client.options;
  const world = { lineage, client, temporal: { address: temporal.address, namespace } };
  const found: string[] = [];
  for (const { home } of workers) found.push(...violationsOf(await auditOf({ ...world, home }, [name])));
  return found.map((line) => `the audit finds: ${line}`);
}

async function all<T>({ database }: ChaosGround, collection: string, shape: z.ZodType<T>): Promise<T[]> {
  return z.array(shape).parse(await database.collection(collection).find().toArray());
}

/** No reservation is open, and what is held is what the ledger says was spent. */
async function settledRest({ lineage }: ChaosGround, owner: string): Promise<string[]> {
  const { open, held } = await lineage.budgets.get(owner);
  const rows = await lineage.budgets.rows(owner, 100_000);
  const violations = Object.values(open).map(({ what, key }) => `an open reservation: ${what} ${key}`);
  for (const unit of ['microUsd', 'acceleratorMs', 'tokens'] as const) {
    const spent = rows.reduce((sum, row) => sum + row.spent[unit], 0);
    if (Object.keys(open).length === 0 && spent !== held[unit])
      violations.push(`held ${unit} is ${held[unit]}, the ledger says ${spent}`);
  }
  return violations;
}

/** Numbers without a gap, and as many counted trials as the limit says, each place taken once. */
function numbering(trials: readonly TrialDocument[], wanted: number): string[] {
  const numbers = trials.map(({ number }) => number).sort((a, b) => a - b);
  const places = trials
    .flatMap(({ slot }) => /\/c\/(\d+)$/.exec(slot)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const upTo = (first: number, length: number): string =>
    Array.from({ length }, (_, at) => first + at).join();
  return [
    ...(numbers.join() === upTo(0, numbers.length) ? [] : [`numbers are not consecutive: ${numbers.join()}`]),
    ...(places.join() === upTo(1, wanted) ? [] : [`counted places are not 1..${wanted}: ${places.join()}`]),
  ];
}

function statuses(trials: readonly TrialDocument[]): string[] {
  return trials.flatMap(({ number, status, stage, outcome }) => {
    if (status === null || stage !== 'ended' || outcome?.status !== status)
      return [`trial ${number} is not ended: ${stage}, ${status ?? 'no status'}`];
    return HONEST.includes(status) ? [] : [`trial ${number} is ${status}: ${outcome.lesson}`];
  });
}

/** One decision for each trial that was measured, and a frontier whose versions have no gap. */
async function decisions(ground: ChaosGround, trials: readonly TrialDocument[]): Promise<string[]> {
  const made = await all(ground, 'decisions', decisionDocument);
  const violations: string[] = [];
  const adopted = made.filter(({ result }) => result.adopt).map(({ frontier }) => frontier.version);
  adopted.sort((a, b) => a - b);
  if (adopted.some((version, at) => version !== at + 1))
    violations.push(`the frontier's versions are ${adopted.join()}`);
  for (const { number, status, outcome } of trials) {
    const own = made.filter(({ trial }) => trial === number);
    const wanted = status === 'keep' || status === 'discard' ? 1 : 0;
    if (own.length !== wanted) violations.push(`trial ${number} (${status}) has ${own.length} decisions`);
    const [decision] = own;
    if (decision === undefined) continue;
    if (decision.result.adopt !== (status === 'keep') || outcome?.decision !== decision._id)
      violations.push(`trial ${number} is ${status}, but its decision says adopt: ${decision.result.adopt}`);
  }
  return violations;
}

/** A frontier that is not the start is claimed once, on as many fresh runs of both as were asked for. */
async function claimed(
  { lineage }: ChaosGround,
  owner: string,
  runs: number,
  replicates: readonly ReplicateDocument[],
): Promise<string[]> {
  const frontier = await lineage.decisions.frontier(owner);
  const claim = await lineage.claims.find(owner, 0);
  const fresh = replicates.filter(({ purpose }) => purpose === 'claim').length;
  const wanted = frontier === null || frontier.trial === START ? 0 : 2 * runs;
  if (fresh !== wanted) return [`${fresh} fresh runs were made for a claim, not ${wanted}`];
  if (wanted === 0) return claim === null ? [] : ['the start is claimed'];
  if (claim === null || claim.result === null) return [`there is no claim: ${claim?.void ?? 'not opened'}`];
  return claim.frontier === frontier?.trial ? [] : [`trial ${claim.frontier} is claimed`];
}

const replicateOf = (id: string): string => id.replace(/\/\d+$/, '');
const fenceOf = (id: string): number => Number(/\/(\d+)$/.exec(id)?.[1]);

/** A phase begins when those before it are completed; the recipe's server and the evaluator run side by side. */
const ORDER: Readonly<Record<string, number>> = { train: 1, pack: 2, serve: 3, evaluate: 3 };

/**
 * A completed training, packing or evaluation is never begun again: not by the process table, and not by the ledger.
 * One that was cut off is begun again at most once a fault.
 */
function phasesRepeated(
  replicates: readonly ReplicateDocument[],
  runs: readonly { replicate: string; fence: number; phase: string; at: number }[],
  ledger: readonly LedgerDocument[],
  kills: readonly Kill[],
): { violations: string[]; lost: number; seen: number } {
  const violations: string[] = [];
  let [lost, seen, published] = [0, 0, 0];
  for (const { _id: key, trial, trained, evaluated, checkpoint, holder, faults } of replicates) {
    const say = (what: string): number => violations.push(`trial ${trial}: ${what}`);
    if (trained === null) {
      say('it was never trained');
      continue;
    }
    const blocked = trained.failure !== null || trained.artifact === null;
    if (evaluated === null && !blocked) say('it was never evaluated');
    if (holder !== null) say(`its claim is still held by ${holder.worker}`);
    if (checkpoint !== null) say('what training left is still kept for packing');
    const charged = ledger.filter(({ what, certainty }) => what === 'train' && certainty !== 'unpaid');
    const rows = charged.filter((row) => replicateOf(row._id) === key);
    for (const row of rows) {
      const of = fenceOf(row._id);
      if (of > trained.fence) say(`training was charged again under claim ${of}`);
      if (of < trained.fence && row.certainty === 'known' && !faults.some((fault) => fault.fence === of))
        say(`the training of claim ${of} ended without a result and without a fault`);
    }
    if (!rows.some((row) => fenceOf(row._id) === trained.fence))
      say('the training that counts was not charged');
    const seenOf = runs.filter((run) => run.replicate === key).sort((a, b) => a.at - b.at);
    for (const [first, second] of pairs(seenOf))
      if ((ORDER[second.phase] ?? 0) < (ORDER[first.phase] ?? 0))
        say(`${second.phase} was begun after ${first.phase}, so that it had been completed`);
    for (const [phase, result] of [
      ['train', trained],
      ['evaluate', evaluated],
    ] as const) {
      if (result === null) continue;
      published += 1;
      const own = seenOf.filter((run) => run.phase === phase);
      if (own.some((run) => run.fence === result.fence)) seen += 1;
      for (const run of own)
        if (run.fence > result.fence || run.at > result.at.getTime() + LATE_MS)
          say(
            `${phase} was seen running under claim ${run.fence} after claim ${result.fence} had its result`,
          );
      lost += Math.max(0, own.length - 1);
      for (const [first, second] of pairs(own))
        if (!between(kills, first.at, second.at)) say(`${phase} was begun again though nothing was killed`);
    }
  }
  if (seen < 0.9 * published)
    violations.push(`the process table showed only ${seen} of ${published} trainings and evaluations`);
  return { violations, lost, seen };
}

function pairs<T>(row: readonly T[]): [T, T][] {
  return row.flatMap((first, at) => {
    const second = row[at + 1];
    return second === undefined ? [] : [[first, second]];
  });
}

const between = (kills: readonly Kill[], from: number, to: number): boolean =>
  kills.some((kill) => kill.at <= to && kill.upAt >= from);

/** One reply a turn; a request beyond that was in flight at a kill, and the ledger shows it. */
async function repliesPaid(
  ground: ChaosGround,
  { name, kills }: Case,
  owner: string,
  ledger: readonly LedgerDocument[],
): Promise<{ violations: string[] }> {
  const violations: string[] = [];
  const turns = await all(ground, 'turns', turnDocument);
  const replies = await all(ground, 'replies', replyDocument);
  for (const { _id, session, turn, chosen } of turns) {
    const key = `${name}/${session.slice(owner.length + 1)}/${turn}`;
    const asked = ground.gate.requests.get(key) ?? [];
    const rows = ledger.filter((row) => row.what === 'model' && replicateOf(row._id) === _id);
    const shown = rows.filter(({ certainty }) => certainty !== 'unpaid').length;
    const say = (what: string): number => violations.push(`turn ${key}: ${what}`);
    if (asked.length > shown) say(`${asked.length} requests reached the model, the ledger shows ${shown}`);
    for (const [first, second] of pairs(asked))
      if (!between(kills, first, second)) say('the model was asked again though nothing was killed');
    const stored = replies.filter((reply) => reply.session === session && reply.turn === turn);
    if (chosen === null) {
      if (stored.length > 0) say('a reply is stored, and none is chosen');
      continue;
    }
    if (stored.length > 1) say(`${stored.length} replies are stored`);
    if (!stored.some(({ attempt }) => attempt === chosen)) say('the chosen reply is not stored');
    const paid = rows.filter(({ certainty }) => certainty === 'known').map((row) => fenceOf(row._id));
    if (paid.join() !== String(chosen))
      say(`attempt ${chosen} is used, attempts ${paid.join()} are known as paid`);
  }
  return { violations };
}
