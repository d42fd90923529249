import { DOING } from '../src/domain/trial/doing.js';
import type { Failure } from '../src/domain/trial/outcome.js';
import { trainReads } from '../src/domain/task/phase-key.js';
import { leaseBoundMs } from '../src/domain/task/bounds.js';
import type { ReplicateDocument, Trained } from '../src/lineage/documents/documents.js';
import type { HostContext } from '../src/measure/host-context.js';
import type { TrialRef } from './decide.js';
import { hostTrial, type HostedTrial } from '../src/measure/load-trial.js';
import { withDoing } from './heartbeat.js';
import { persist } from '../src/lineage/persist.js';
import {
  equalTraining,
  isElsewhere,
  resultsFor,
  type EqualTraining,
  type Keyed,
} from '../src/measure/reuse.js';
import { isElsewhereNow, runTraining, type Elsewhere } from '../src/measure/train.js';
import { heldForRun } from './claiming.js';
import {
  withAttempt,
  type Attempt,
  type AttemptRequest,
  type AttemptResult,
} from '../src/measure/attempt.js';

export type TrainResult =
  | { next: 'evaluate'; replicate: string }
  | { next: 'decide' }
  | { next: 'elsewhere'; equal: EqualTraining }
  | { next: 'notStarted' }
  | { next: 'exhausted' }
  | { next: 'parked' };

export interface TrainActivities {
  train(of: RunRef): Promise<TrainResult>;
}

/** One run of a trial: its replicates are numbered from 0. */
export interface RunRef extends TrialRef {
  index: number;
  /** For the search, or on fresh seeds for the claim. */
  purpose: 'search' | 'claim';
  /** For which claim of the campaign. */
  claim?: number;
}

/** Training, packing, sealing and the gates that are known then, on a lease. */
export function trainActivities(context: HostContext): TrainActivities {
  return {
    train: (of) => withDoing('preparing', (signal, tell) => train(context, of, signal, tell)),
  };
}

/** `tell` says with the heartbeats what is being done, for those who ask why nothing moves. */
async function train(
  context: HostContext,
  of: RunRef,
  signal: AbortSignal,
  tell: (doing: string) => void,
): Promise<TrainResult> {
  const { lineage, host, leases, turn } = context;
  const work = await hostTrial(context, of, signal);
  const { campaign, trial, hosted } = work;
  const { owner, number, index, purpose, claim = 0 } = of;
  if (purpose === 'search' && trial.status !== null) return { next: 'decide' };
  const known = purpose === 'search' ? trial.replicates : (await lineage.claims.get(owner, claim)).replicates;
  const before = (await lineage.replicates.many(known)).find(
    (one) => one.index === index && one.snapshot === trial.snapshot && one.trained !== null,
  );
  const { snapshot } = trial;
  const measurement = { owner, snapshot, purpose, index, hostClass: host.hostClass } as const;
  const files = await lineage.blobs.tree(snapshot);
  const identity = { ...measurement, reads: trainReads(hosted.spec, files) };
  const replicate = before ?? (await lineage.replicates.open(identity, number, campaign.secret));
  const key = replicate._id;
  if (purpose === 'search') await lineage.trials.addReplicate(owner, number, key);
  else await lineage.claims.addReplicate(owner, claim, key);
  if (replicate.trained !== null) {
    await lineage.campaigns.endWork(owner, key, replicate.fence);
    await recordSavings(context, work, key, replicate.trained);
    return nextAfter(replicate.trained, key);
  }
  const keyed = { context, work, replicate, files };
  const equal = equalTraining(keyed);
  if (equal !== null && (await isElsewhere(lineage, equal))) return { next: 'elsewhere', equal };
  const there = await resultsFor(keyed);
  const instead = purpose === 'claim' ? heldForRun({ owner, number, index, claim }) : undefined;
  // the claim comes after the turn: what waits has not begun, costs nothing, and can still be held back
  const claimed = () =>
    turn.beside({ signal, tell, doing: 'training' }, () =>
      claimAndTrain(keyed, { boundMs: boundMs(keyed, there), instead }, signal),
    );
  tell(DOING.waitsForLease);
  const slots = hosted.spec.resources.slots;
  const result = needsNothing(work, there)
    ? await claimed()
    : await leases.withLease({ slots, signal }, claimed);
  if (result.kind !== 'done') return { next: result.kind };
  const trained = result.result;
  if (isElsewhereNow(trained)) return { next: 'elsewhere', equal: trained.elsewhere };
  await persist(signal, () => recordSavings(context, work, key, trained));
  return nextAfter(trained, key);
}

type There = Awaited<ReturnType<typeof resultsFor>>;

/** Whether every phase's result is there, so that no accelerator is needed. */
const needsNothing = ({ hosted }: HostedTrial, { train, pack }: There): boolean =>
  train !== null && (hosted.spec.phases.pack === undefined || pack !== null);

async function claimAndTrain(
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
  return withAttempt<Trained | Elsewhere>(context, request, signal, async (claim) => {
    await lineage.trials.setStage(trial.owner, trial.number, 'training');
    const { crashed } = claim;
    const result =
      crashed === null
        ? await runTraining({ context, work, claim, files, signal })
        : untrained(claim, crashed);
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
