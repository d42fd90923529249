import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { sha256 } from '../src/domain/digest.js';
import { firstMiss, margins } from '../src/domain/gates.js';
import { trainBudget, trainTimeout } from '../src/domain/task.js';
import { missText } from '../src/domain/outcome-of.js';
import type { Failure } from '../src/domain/outcome.js';
import type { PhaseRun, ReplicateDocument, Trained } from '../src/lineage/documents.js';
import { SealRefused, sealTo, type Sealed } from '../src/sandbox/seal.js';
import { writeFolder } from '../src/tasks/folder.js';
import { keepCheckpoint, restoreCheckpoint, storeSealed } from './checkpoint.js';
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
    train: (of) => {
      let doing = 'preparing';
      const tell = (now: string): void => {
        doing = now;
      };
      return withPulse(
        () => doing,
        (signal) => train(context, of, signal, tell),
      );
    },
  };
}

/** `tell` says with the heartbeats what is being done, for those who ask why nothing moves. */
async function train(
  context: HostContext,
  of: TrialRef,
  signal: AbortSignal,
  tell: (doing: string) => void,
): Promise<TrainResult> {
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
  tell('waiting for a lease');
  return leases.withLease({ slots: hosted.spec.resources.slots, signal }, async () => {
    tell('training');
    const published = ({ trained }: ReplicateDocument): Trained | null => trained;
    const request = { what: 'train', trial, replicate: key, boundMs: boundMs(work), published } as const;
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
  const { lineage } = context;
  const { spec } = work.hosted;
  const { snapshot } = work.trial;
  const name = `${sha256(claim.replicate._id).slice(0, 20)}-${claim.fence}`;
  return withWorkspace(context, name, snapshot, async ({ folder, recipe, tmp }) => {
    const folders = await foldersIn(folder, recipe, tmp);
    const { out, artifact, sealed: to } = folders;
    const runs: PhaseRun[] = [];
    const failure = await phasesOf({ context, work, claim, folders, runs, signal });
    if (failure !== null) return trainedWith(claim, runs, failure, {});
    const sealed = await sealOr(spec.phases.pack === undefined ? out : artifact, to, work);
    if ('refused' in sealed) return trainedWith(claim, runs, sealed.refused, {});
    const bytes = countedBytes(spec, await lineage.blobs.tree(snapshot)) + sealed.bytes;
    const trainS = (runs.find((run) => run.phase === 'train')?.wallMs ?? 0) / 1000;
    const metrics = { bytes, train_s: trainS };
    const found = margins(spec.gates, metrics);
    const miss = firstMiss(found);
    const blocked =
      miss === undefined ? null : sizeFailure(work, miss.gate, missText(miss), miss.value, miss.limit);
    const files = await persist(signal, () => storeSealed(lineage, to, sealed));
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
  /** The recipe again, as submitted: what training wrote beside its outputs is not there for packing. */
  packing: string;
  tmp: string;
  out: string;
  scratch: string;
  artifact: string;
  sealed: string;
}

async function foldersIn(folder: string, recipe: string, tmp: string): Promise<Folders> {
  const [out, artifact] = [join(folder, 'out'), join(folder, 'artifact')];
  await mkdir(out);
  await mkdir(artifact);
  const [packing, scratch] = [join(folder, 'packing'), join(folder, 'checkpoint')];
  return { recipe, packing, tmp, out, scratch, artifact, sealed: join(folder, 'sealed') };
}

interface Training {
  context: HostContext;
  work: HostedTrial;
  claim: Claim;
  folders: Folders;
  /** Filled while the phases run. */
  runs: PhaseRun[];
  signal: AbortSignal;
}

/** Trains, unless an earlier attempt has, and packs; the first failure ends it. */
async function phasesOf(training: Training): Promise<Failure | null> {
  const { context, work, claim, folders, runs, signal } = training;
  const { lineage } = context;
  const { pack } = work.hosted.spec.phases;
  const restored = await restoreCheckpoint(lineage, claim.replicate, folders.out);
  if (restored !== null) runs.push(restored);
  else {
    const { failure, run } = await runPhase(training, trainCall(training));
    if (failure !== null) return failure;
    if (pack !== undefined) await persist(signal, () => keepCheckpoint(lineage, claim, run, folders));
  }
  if (pack === undefined) return null;
  await writeFolder(folders.packing, await lineage.blobs.readTree(work.trial.snapshot));
  const { out, artifact, packing } = folders;
  const { failure } = await runPhase(training, {
    phase: 'pack',
    command: pack.run,
    cwd: packing,
    timeoutS: pack.timeout_s,
    writable: [packing, artifact],
    readable: [out],
    env: { ASSAY_INPUT: out, ASSAY_OUTPUT: artifact },
  });
  return failure;
}

type Call = Omit<PhaseCall, 'id' | 'signal'>;

function trainCall({ work: { hosted, campaign }, folders: { recipe, out } }: Training): Call {
  const { spec } = hosted;
  const { trainSeconds } = campaign.frozen;
  const data = hosted.parts.train;
  return {
    phase: 'train',
    command: spec.phases.train.run,
    cwd: recipe,
    timeoutS: trainTimeout(spec, trainSeconds),
    writable: [recipe, out],
    readable: data === null ? [] : [data],
    env: {
      ASSAY_OUTPUT: out,
      ASSAY_TRAIN_SECONDS: String(trainBudget(spec, trainSeconds)),
      ...(data === null ? {} : { ASSAY_DATA: data }),
    },
  };
}

async function runPhase(
  { context, work, claim, folders, runs, signal }: Training,
  call: Call,
): Promise<{ failure: Failure | null; run: PhaseRun }> {
  const { phase } = call;
  await claim.stage(phase === 'pack' ? 'packing' : 'training');
  const id = `${claim.replicate._id}/${claim.fence}/${phase}`;
  const env = { ASSAY_SEED: String(claim.replicate.seed), ...call.env };
  const request = requestOf(context, work.hosted, { ...call, id, env, signal }, folders.tmp);
  const result = await context.sandbox.run(request);
  Context.current().heartbeat(phase);
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  const run = await persist(signal, () => recordRun(context.lineage, phase, result));
  runs.push(run);
  return { failure: failureOf(phase, result), run };
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
