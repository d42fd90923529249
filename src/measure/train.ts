import { DOING, type WorkMonitor } from '../domain/trial/doing.js';
import { UNSIZED, type Admitted } from '../devices/admitted.js';
import type { TrialRef } from '../domain/keys.js';
import type { Failure } from '../domain/trial/outcome.js';
import { trainReads } from '../domain/task/phase-key.js';
import { leaseBoundMs } from '../domain/task/bounds.js';
import type { ReplicateDocument, Trained } from '../lineage/documents/replicate.js';
import type { StoredFile } from '../lineage/documents/snapshot.js';
import { persist } from '../lineage/persist.js';
import { withAttempt, type Attempt, type AttemptRequest, type AttemptResult } from './attempt.js';
import { heldForRun } from './decision/claim-reservation.js';
import type { HostContext } from './host-context.js';
import { hostTrial, type HostedTrial } from './load-trial.js';
import { runTraining } from './phases/run-training.js';
import { isElsewhereNow, type Elsewhere } from './phases/training.js';
import { equalTraining, isElsewhere, resultsFor, type EqualTraining, type Keyed } from './reuse.js';

export type TrainResult =
  | { next: 'evaluate'; replicate: string }
  | { next: 'decide' }
  | { next: 'elsewhere'; equal: EqualTraining }
  | { next: 'notStarted' }
  | { next: 'exhausted' }
  | { next: 'parked' };

/** One run of a trial: its replicates are numbered from 0. */
export interface RunRef extends TrialRef {
  index: number;
  /** For the search, or on fresh seeds for the claim. */
  purpose: 'search' | 'claim';
  /** For which claim of the campaign. */
  claim?: number;
}

/** Trains, packs and seals one run of a trial on a lease, and checks the gates that are known then. */
export async function train(
  context: HostContext,
  of: RunRef,
  monitor: WorkMonitor,
  admitted: Admitted = UNSIZED,
): Promise<TrainResult> {
  const { signal } = monitor;
  const work = await hostTrial(context, of, signal);
  const { trial } = work;
  if (of.purpose === 'search' && trial.status !== null) return { next: 'decide' };
  const files = await context.lineage.blobs.tree(trial.snapshot);
  const replicate = await enterReplicate(context, work, of, files);
  const key = replicate._id;
  if (replicate.trained !== null) {
    await context.lineage.campaigns.endWork(of.owner, key, replicate.fence);
    await recordSavings(context, work, key, replicate.trained);
    return nextAfter(replicate.trained, key);
  }
  const keyed = { context, work, replicate, files };
  const equal = equalTraining(keyed);
  if (equal !== null && (await isElsewhere(context.lineage, equal))) return { next: 'elsewhere', equal };
  const result = await trainOnLease(keyed, of, monitor, admitted);
  if (result.kind !== 'done') return { next: result.kind };
  const trained = result.result;
  if (isElsewhereNow(trained)) return { next: 'elsewhere', equal: trained.elsewhere };
  await persist(signal, () => recordSavings(context, work, key, trained));
  return nextAfter(trained, key);
}

/** Finds the replicate that an earlier attempt has trained, or opens one, and enters it for its trial or claim. */
async function enterReplicate(
  { lineage, host }: HostContext,
  { campaign, trial, hosted }: HostedTrial,
  { owner, number, index, purpose, claim = 0 }: RunRef,
  files: readonly StoredFile[],
): Promise<ReplicateDocument> {
  const { snapshot } = trial;
  const known = purpose === 'search' ? trial.replicates : (await lineage.claims.get(owner, claim)).replicates;
  const before = (await lineage.replicates.many(known)).find(
    (one) => one.index === index && one.snapshot === snapshot && one.trained !== null,
  );
  const reads = trainReads(hosted.spec, files);
  const identity = { owner, snapshot, purpose, index, hostClass: host.hostClass, reads };
  const replicate = before ?? (await lineage.replicates.open(identity, number, campaign.secret));
  if (purpose === 'search') await lineage.trials.addReplicate(owner, number, replicate._id);
  else await lineage.claims.addReplicate(owner, claim, replicate._id);
  return replicate;
}

/** Waits for a lease, where an accelerator is needed, and for a turn on the host, and trains. */
async function trainOnLease(
  keyed: Keyed,
  { owner, number, index, purpose, claim = 0 }: RunRef,
  { signal, tell }: WorkMonitor,
  admitted: Admitted,
): Promise<AttemptResult<Trained | Elsewhere>> {
  const { context, work } = keyed;
  const there = await resultsFor(keyed);
  const instead = purpose === 'claim' ? heldForRun({ owner, number, index, claim }) : undefined;
  // the attempt begins after the turn: what waits has not begun, costs nothing, and can still be held back
  const begin = () =>
    context.turn.beside({ signal, tell, doing: 'training' }, () =>
      attemptTraining(keyed, { boundMs: boundMs(keyed, there), instead }, signal),
    );
  tell(DOING.waitsForLease);
  const { slots } = work.hosted.spec.resources;
  if (needsNothing(work, there)) return begin();
  admitted.wants(slots);
  return context.leases.withLease({ slots, signal, atOnce: admitted.atOnce }, () => {
    admitted.leased();
    return begin();
  });
}

type There = Awaited<ReturnType<typeof resultsFor>>;

/** True when every phase's result is there, so that no accelerator is needed. */
const needsNothing = ({ hosted }: HostedTrial, { train, pack }: There): boolean =>
  train !== null && (hosted.spec.phases.pack === undefined || pack !== null);

async function attemptTraining(
  { context, work, replicate, files }: Keyed,
  asked: Pick<AttemptRequest<unknown>, 'boundMs' | 'instead'>,
  signal: AbortSignal,
): Promise<AttemptResult<Trained | Elsewhere>> {
  const { lineage } = context;
  const { trial } = work;
  const published = ({ trained }: ReplicateDocument): Trained | null => trained;
  const { _id: key, purpose } = replicate;
  const held = { ...asked, slots: work.hosted.spec.resources.slots };
  const request = { what: 'train', trial, purpose, replicate: key, ...held, published } as const;
  return withAttempt<Trained | Elsewhere>(context, request, signal, async (attempt) => {
    await lineage.trials.setStage(trial.owner, trial.number, 'training');
    const { crash } = attempt;
    const result =
      crash === null
        ? await runTraining({ context, work, attempt, files, signal })
        : untrained(attempt, crash);
    if (isElsewhereNow(result)) return result;
    return persist(signal, () => lineage.replicates.publishTrained(replicate._id, result));
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
  return trained.failure !== null ? { next: 'decide' } : { next: 'evaluate', replicate };
}

/** The most that what is not there yet can take, in milliseconds of its slots. */
function boundMs({ work }: Keyed, { train, pack }: There): number {
  const { hosted, campaign } = work;
  return leaseBoundMs(hosted.spec, campaign.frozen.trainSeconds, {
    trained: train !== null,
    packed: pack !== null,
  });
}
