import { DOING, type WorkMonitor } from '../domain/trial/doing.js';
import type { HostClass } from '../domain/devices/host-class.js';
import { START, trialLabel, type TrialRef } from '../domain/keys.js';
import type { Failure } from '../domain/trial/outcome.js';
import { trainReads } from '../domain/task/phase-key.js';
import { evaluationGpus, leaseSize } from '../domain/task/device-needs.js';
import { leaseBoundMs } from '../domain/task/bounds.js';
import type { ReplicateDocument, Trained } from '../lineage/documents/replicate.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import type { Lineage } from '../lineage/lineage.js';
import { persist } from '../lineage/persist.js';
import type { HostPlace } from '../lineage/documents/on-host.js';
import { definedFields } from '../domain/defined-fields.js';
import { trainsThere, type Asking, type KeptElsewhere } from './elsewhere-kept.js';
import { withAttempt, type Attempt, type AttemptRequest, type AttemptResult } from './attempt.js';
import { evaluate } from './evaluate.js';
import { heldForRun } from './decision/claim-reservation.js';
import { placed, type Asked } from './host-calibration.js';
import type { HostContext } from './host-context.js';
import { onLease } from './on-lease.js';
import { hostTrial, requireCalibratedBy, type HostedTrial } from './load-trial.js';
import { runTraining } from './phases/run-training.js';
import { isElsewhereNow, type Elsewhere } from './phases/training.js';
import {
  equalTraining,
  isElsewhere,
  resultsFor,
  type EqualTraining,
  type Keyed,
  type Results,
} from './reuse.js';

export type TrainResult =
  | { next: 'evaluate'; replicate: string; place?: HostPlace }
  | KeptElsewhere
  | { next: 'decide' }
  /** After these runs of the start on this class of hosts, which is compared with the campaign's first one by them. */
  | { next: 'calibrate'; hostClass: HostClass; indexes: number[] }
  /** After another trial has measured them. */
  | { next: 'calibrating'; hostClass: HostClass }
  | { next: 'elsewhere'; equal: EqualTraining }
  | { next: 'notStarted' }
  | { next: 'exhausted' }
  | { next: 'parked' };

/** One run of a trial: its replicates are numbered from 0. */
export interface RunRef extends TrialRef, Asking {
  index: number;
  /** For the search, on fresh seeds for the claim, or the start once more on a class of hosts. */
  purpose: ReplicateDocument['purpose'];
  /** The class that a control needs. */
  hostClass?: HostClass;
  /** Classes on which a trial could not get the start measured, so that other hosts have to take it. */
  givenUp?: string[];
  /** For which claim of the campaign. */
  claim?: number;
}

/** Trains, packs and seals one run of a trial on a lease, and checks the gates that are known then. */
export async function train(context: HostContext, of: RunRef, monitor: WorkMonitor): Promise<TrainResult> {
  const { signal } = monitor;
  const work = await hostTrial(context, of, { work: 'train', signal });
  const { trial } = work;
  if (of.purpose === 'search' && trial.status !== null) return { next: 'decide' };
  const files = await context.lineage.blobs.tree(trial.snapshot);
  const entered = await enterReplicate(context, work, of, files);
  if ('next' in entered) return entered;
  const replicate = entered;
  const key = replicate._id;
  if (replicate.trained !== null) {
    await context.lineage.campaigns.endWork(of.owner, key, replicate.fence);
    await recordSavings(context, work, key, replicate.trained);
    return nextAfter(replicate.trained, key);
  }
  const keyed = { context, work, replicate, files };
  const there = await trainsThere(keyed, of, signal);
  if (there !== null) return there;
  const equal = equalTraining(keyed);
  if (equal !== null && (await isElsewhere(context.lineage, equal))) return { next: 'elsewhere', equal };
  const result = await trainOnLease(keyed, of, monitor);
  if (result.kind !== 'done') return { next: result.kind };
  const trained = result.result;
  if (isElsewhereNow(trained)) return { next: 'elsewhere', equal: trained.elsewhere };
  await persist(signal, () => recordSavings(context, work, key, trained));
  return nextAfter(trained, key);
}

/**
 * Finds the replicate that an earlier attempt has trained, or opens one, and enters it for its trial or claim; or says
 * what comes first.
 */
async function enterReplicate(
  context: HostContext,
  work: HostedTrial,
  of: RunRef,
  files: readonly StoredFile[],
): Promise<ReplicateDocument | Extract<TrainResult, { next: 'calibrate' | 'calibrating' | 'decide' }>> {
  const { lineage } = context;
  const { owner, number, purpose, claim = 0 } = of;
  const { snapshot, firstRun = 0 } = work.trial;
  const index = purpose === 'search' ? firstRun + of.index : of.index;
  const before = (await lineage.replicates.many(await knownReplicates(lineage, work, of))).find(
    (one) => one.index === index && one.snapshot === snapshot && one.trained !== null,
  );
  const place = before === undefined ? await placed(context, work, askedTraining(of)) : null;
  if (place?.kind === 'gone') return { next: 'decide' };
  const { hostClass, campaign, hosted } = work;
  if (place !== null && place.kind !== 'here')
    return place.kind === 'calibrate'
      ? { next: place.kind, hostClass, indexes: place.indexes }
      : { next: place.kind, hostClass };
  const reads = trainReads(hosted.spec, files);
  const shift = place?.shift ?? {};
  const identity = { owner, snapshot, purpose, index, hostClass: hostClass.id, reads, shift };
  const replicate = before ?? (await lineage.replicates.open(identity, number, campaign.secret));
  if (purpose === 'search') await lineage.trials.addReplicate(owner, number, replicate._id);
  if (purpose === 'claim') await lineage.claims.addReplicate(owner, claim, replicate._id);
  return replicate;
}

async function knownReplicates(
  lineage: Lineage,
  { trial }: HostedTrial,
  { owner, purpose, claim = 0 }: RunRef,
): Promise<readonly string[]> {
  if (purpose === 'control') return [];
  return purpose === 'search' ? trial.replicates : (await lineage.claims.get(owner, claim)).replicates;
}

function askedTraining({ number, purpose, hostClass, givenUp = [] }: RunRef): Asked {
  const needs = hostClass ?? null;
  const searched = number === START ? 'start' : 'trial';
  const kind = purpose === 'control' ? 'calibration' : purpose === 'claim' ? 'claim' : searched;
  return { kind, hostClass: needs?.id ?? null, needs, givenUp };
}

/** Waits for a lease, where an accelerator is needed, and for a turn on the host, and trains. */
async function trainOnLease(
  keyed: Keyed,
  { owner, number, index, purpose, claim = 0 }: RunRef,
  { signal, tell }: WorkMonitor,
): Promise<AttemptResult<Trained | Elsewhere>> {
  const { context, work } = keyed;
  const there = await resultsFor(keyed);
  const instead = purpose === 'claim' ? heldForRun({ owner, number, index, claim }) : undefined;
  // the attempt begins after the turn: what waits has not begun, costs nothing, and can still be held back
  const isAlone = work.hosted.spec.resources.host === 'exclusive';
  const begin = (on: HostContext) => {
    const attempt = () =>
      attemptTraining({ ...keyed, context: on }, { boundMs: boundMs(keyed, there), instead }, signal);
    return isAlone
      ? on.turn.alone({ signal, tell, doing: DOING.trainsAlone }, attempt)
      : on.turn.beside({ signal, tell, doing: 'training' }, attempt);
  };
  if (needsNothing(work, there)) return begin(context);
  tell(DOING.waitsForLease);
  const { slots, gpus } = work.hosted.spec.resources;
  const what = `training ${trialLabel(number)} of ${work.campaign.frozen.name}`;
  return onLease(context, { slots, gpus, what, signal }, async (on) => {
    const result = await begin(on);
    // a claim is evaluated after all its runs are trained
    if (purpose !== 'claim') await evaluateOnLease({ ...keyed, context: on }, result, { signal, tell });
    return result;
  });
}

/**
 * Evaluates what was trained on the accelerators that trained it, where its evaluation needs any: it would wait for
 * others otherwise. What comes of it is in the store.
 */
async function evaluateOnLease(
  { context, work, replicate }: Keyed,
  result: AttemptResult<Trained | Elsewhere>,
  monitor: WorkMonitor,
): Promise<void> {
  if (evaluationGpus(work.hosted.spec) === 0 || result.kind !== 'done') return;
  if (isElsewhereNow(result.result) || result.result.failure !== null) return;
  const { owner, number } = work.trial;
  await evaluate(context, { owner, number, replicate: replicate._id }, monitor);
}

/** True when every phase's result is there, so that no accelerator is needed. */
const needsNothing = ({ hosted }: HostedTrial, { train, pack, warm }: Results): boolean =>
  warm && train !== null && (hosted.spec.phases.pack === undefined || pack !== null);

async function attemptTraining(
  { context, work, replicate, files }: Keyed,
  asked: Pick<AttemptRequest<unknown>, 'boundMs' | 'instead'>,
  signal: AbortSignal,
): Promise<AttemptResult<Trained | Elsewhere>> {
  const { lineage } = context;
  const { trial } = work;
  const published = ({ trained }: ReplicateDocument): Trained | null => trained;
  const { _id: key, purpose } = replicate;
  const held = { ...asked, slots: leaseSize(work.hosted.spec.resources) };
  const request = { what: 'train', trial, purpose, replicate: key, ...held, published } as const;
  return withAttempt<Trained | Elsewhere>(context, request, signal, async (attempt) => {
    await lineage.trials.setStage(trial.owner, trial.number, 'training');
    const { crash } = attempt;
    const result =
      crash === null
        ? await runTraining({ context, work, attempt, files, signal })
        : untrained(attempt, crash);
    if (isElsewhereNow(result)) return result;
    return persist(signal, async () => {
      // a control is of the class that it was asked of
      if (purpose !== 'control') await requireCalibratedBy(context, work, { work: 'train' });
      return lineage.replicates.publishTrained(replicate._id, result);
    });
  });
}

/** Nothing was run. */
function untrained({ fence }: Attempt, failure: Failure): Trained {
  const nothing = { runs: [], artifact: null, metrics: {}, margins: [], saved: [], progress: [] };
  return { ...nothing, fence, failure, sharesTraining: null, at: new Date() };
}

/** The ledger shows what was not needed; doing it again changes nothing. */
async function recordSavings(
  { lineage }: HostContext,
  { trial }: HostedTrial,
  replicate: string,
  { saved }: Trained,
): Promise<void> {
  const { owner, role, number } = trial;
  for (const one of saved) await lineage.budgets.save({ owner, role, trial: number, replicate }, one);
}

function nextAfter(trained: Trained, replicate: string): TrainResult {
  if (trained.failure !== null) return { next: 'decide' };
  const { host, folder } = trained.artifact?.onHost ?? {};
  const place = host === undefined || folder === undefined ? undefined : { host, folder };
  return { next: 'evaluate', replicate, ...definedFields({ place }) };
}

/** The most that what is not there yet can take, in milliseconds of its slots. */
function boundMs({ work }: Keyed, { train, pack, warm }: Results): number {
  const { hosted, campaign } = work;
  return leaseBoundMs(hosted.spec, campaign.frozen.trainSeconds, {
    trained: train !== null,
    packed: pack !== null,
    warm,
  });
}
