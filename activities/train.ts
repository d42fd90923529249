import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { sha256 } from '../src/domain/digest.js';
import { firstMiss, margins } from '../src/domain/gates.js';
import { trainBudget, trainTimeout } from '../src/domain/task.js';
import { missText } from '../src/domain/outcome-of.js';
import type { Failure } from '../src/domain/outcome.js';
import type { PhaseRun, Trained } from '../src/lineage/documents.js';
import { SealRefused, sealTo, type Sealed } from '../src/sandbox/seal.js';
import { readFolder } from '../src/tasks/folder.js';
import type { HostContext } from './context.js';
import type { TrialRef } from './decide.js';
import { hostTrial, type HostedTrial } from './hosting.js';
import { countedBytes, failureOf, recordRun, requestOf, withWorkspace, type PhaseCall } from './phases.js';
import { persist, withPulse } from './pulse.js';
import { sealLimits } from './prepare.js';
import { withClaim, type Claim } from './claim.js';

export type TrainResult =
  | { next: 'evaluate'; replicate: string }
  | { next: 'decide' }
  | { next: 'notStarted' }
  | { next: 'exhausted' };

export interface TrainActivities {
  train(of: TrialRef): Promise<TrainResult>;
}

/** Training, packing, sealing and the gates that are known then, on a lease. */
export function trainActivities(context: HostContext): TrainActivities {
  return {
    train: (of) =>
      withPulse(
        () => of.number,
        (signal) => train(context, of, signal),
      ),
  };
}

async function train(context: HostContext, of: TrialRef, signal: AbortSignal): Promise<TrainResult> {
  const { lineage, host, leases } = context;
  const work = await hostTrial(context, of, signal);
  const { campaign, trial, hosted } = work;
  if (trial.status !== null) return { next: 'decide' };
  const { owner, number } = of;
  const before = (await lineage.replicates.many(trial.replicates)).find(
    (replicate) => replicate.trained !== null,
  );
  const { snapshot } = trial;
  const identity = { owner, snapshot, purpose: 'search', index: 0, hostClass: host.hostClass } as const;
  const replicate = before ?? (await lineage.replicates.open(identity, number, campaign.secret));
  const key = replicate._id;
  await lineage.trials.addReplicate(owner, number, key);
  if (replicate.trained !== null) {
    await lineage.campaigns.endWork(owner, key, replicate.fence);
    return nextAfter(replicate.trained, key);
  }
  return leases.withLease({ slots: hosted.spec.resources.slots, signal }, async () => {
    const request = { what: 'train', trial, replicate: key, boundMs: boundMs(work) } as const;
    const claimed = await withClaim(context, request, signal, async (claim) => {
      await lineage.trials.setStage(owner, number, 'training');
      const result = await runTraining(context, work, claim, signal);
      return persist(signal, () => lineage.replicates.publishTrained(key, result));
    });
    if (claimed.kind === 'done') return nextAfter(claimed.result, key);
    return { next: claimed.kind };
  });
}

function nextAfter(trained: Trained, replicate: string): TrainResult {
  const blocked = trained.failure !== null || firstMiss(trained.margins) !== undefined;
  return blocked ? { next: 'decide' } : { next: 'evaluate', replicate };
}

/** The most that one training can take, in milliseconds of its slots. */
function boundMs({ hosted, campaign }: HostedTrial): number {
  const { phases, resources } = hosted.spec;
  const seconds = trainTimeout(hosted.spec, campaign.frozen.trainSeconds) + (phases.pack?.timeout_s ?? 0);
  return Math.ceil(seconds * 1000 * resources.slots);
}

/** Runs the phases in a fresh folder and stores every byte that counts before it returns. */
async function runTraining(
  context: HostContext,
  work: HostedTrial,
  claim: Claim,
  signal: AbortSignal,
): Promise<Trained> {
  const { trial } = work;
  const name = `${sha256(claim.replicate._id).slice(0, 20)}-${claim.fence}`;
  return withWorkspace(context, name, trial.snapshot, async ({ folder, recipe, tmp }) => {
    const dirs = {
      out: join(folder, 'out'),
      artifact: join(folder, 'artifact'),
      sealed: join(folder, 'sealed'),
    };
    await mkdir(dirs.out);
    await mkdir(dirs.artifact);
    const runs: PhaseRun[] = [];
    const failure = await phasesOf(context, work, claim, { recipe, tmp, ...dirs }, runs, signal);
    if (failure !== null) return trainedWith(claim, runs, failure, {});
    const from = work.hosted.spec.phases.pack === undefined ? dirs.out : dirs.artifact;
    const sealed = await sealOr(from, dirs.sealed, work);
    if ('refused' in sealed) return trainedWith(claim, runs, sealed.refused, {});
    const bytes =
      countedBytes(work.hosted.spec, await context.lineage.blobs.tree(trial.snapshot)) + sealed.bytes;
    const trainS = (runs.find((run) => run.phase === 'train')?.wallMs ?? 0) / 1000;
    const metrics = { bytes, train_s: trainS };
    const found = margins(work.hosted.spec.gates, metrics);
    const miss = firstMiss(found);
    const blocked =
      miss === undefined ? null : sizeFailure(work, miss.gate, missText(miss), miss.value, miss.limit);
    const files = await persist(signal, async () =>
      context.lineage.blobs.putFiles(
        await readFolder(dirs.sealed, { maxFiles: 1000, maxFileBytes: 2 ** 31, code: 'HOST_FAULT' }),
      ),
    );
    return {
      ...trainedWith(claim, runs, blocked, metrics),
      margins: found,
      artifact: { digest: sealed.digest, files },
    };
  });
}

function trainedWith(
  claim: Claim,
  runs: PhaseRun[],
  failure: Failure | null,
  metrics: Record<string, number>,
): Trained {
  return { fence: claim.fence, failure, runs, artifact: null, metrics, margins: [], at: new Date() };
}

interface Folders {
  recipe: string;
  tmp: string;
  out: string;
  artifact: string;
}

async function phasesOf(
  context: HostContext,
  { hosted, campaign }: HostedTrial,
  claim: Claim,
  folders: Folders,
  runs: PhaseRun[],
  signal: AbortSignal,
): Promise<Failure | null> {
  const { recipe, tmp, out, artifact } = folders;
  const { train: training, pack } = hosted.spec.phases;
  const data = hosted.parts.train;
  const seed = { ASSAY_SEED: String(claim.replicate.seed) };
  const trainSeconds = String(trainBudget(hosted.spec, campaign.frozen.trainSeconds));
  const run = async (call: Omit<PhaseCall, 'id' | 'cwd' | 'signal'>): Promise<Failure | null> => {
    await claim.stage(call.phase === 'pack' ? 'packing' : 'training');
    const request = requestOf(
      context,
      hosted,
      { ...call, id: `${claim.replicate._id}/${claim.fence}/${call.phase}`, cwd: recipe, signal },
      tmp,
    );
    const result = await context.sandbox.run(request);
    Context.current().heartbeat(call.phase);
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    runs.push(await persist(signal, () => recordRun(context.lineage, call.phase, result)));
    return failureOf(call.phase, result);
  };
  const failure = await run({
    phase: 'train',
    command: training.run,
    timeoutS: trainTimeout(hosted.spec, campaign.frozen.trainSeconds),
    writable: [recipe, out],
    readable: data === null ? [] : [data],
    env: {
      ...seed,
      ASSAY_OUTPUT: out,
      ASSAY_TRAIN_SECONDS: trainSeconds,
      ...(data === null ? {} : { ASSAY_DATA: data }),
    },
  });
  if (failure !== null || pack === undefined) return failure;
  return run({
    phase: 'pack',
    command: pack.run,
    timeoutS: pack.timeout_s,
    writable: [recipe, artifact],
    readable: [out],
    env: { ...seed, ASSAY_INPUT: out, ASSAY_OUTPUT: artifact },
  });
}

async function sealOr(
  from: string,
  to: string,
  { hosted }: HostedTrial,
): Promise<Sealed | { refused: Failure }> {
  try {
    return await sealTo(from, to, sealLimits(hosted));
  } catch (error) {
    if (!(error instanceof SealRefused)) throw error;
    const status = error.kind === 'missing' || error.kind === 'too_large' ? 'crash' : 'violation';
    return { refused: { status, phase: 'seal', reason: error.message, limit: null, tail: '' } };
  }
}

function sizeFailure(
  { hosted }: HostedTrial,
  gate: string,
  reason: string,
  used: number,
  allowed: number,
): Failure {
  const known = hosted.spec.gates.find((candidate) => candidate.name === gate)?.known;
  const status = known === 'train' ? 'disqualified' : 'size_blocked';
  return { status, phase: 'pack', reason, limit: { name: gate, used, allowed, unit: 'bytes' }, tail: '' };
}
