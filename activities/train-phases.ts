import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { sha256 } from '../src/domain/digest.js';
import { exactGates, firstMiss, margins, statusOfMiss, type Margin } from '../src/domain/gates.js';
import { missText } from '../src/domain/outcome-of.js';
import type { Failure } from '../src/domain/outcome.js';
import { seenBy, visibleFiles } from '../src/domain/phase-key.js';
import { comparesTimes, TIME_RATIO, trainBudget, trainTimeout } from '../src/domain/task.js';
import type { PhaseRun, Saving, StoredFile, Trained } from '../src/lineage/documents.js';
import type { Finished } from '../src/lineage/phase-results.js';
import { SealRefused, sealTo, type Sealed } from '../src/sandbox/seal.js';
import { writeFolder } from '../src/tasks/folder.js';
import { keepCheckpoint, restoreCheckpoint, storeSealed } from './checkpoint.js';
import type { Claim } from './claim.js';
import type { HostContext } from './context.js';
import type { HostedTrial } from './hosting.js';
import {
  countedBytes,
  failureOf,
  recordRun,
  requestOf,
  sealLimits,
  withWorkspace,
  type PhaseCall,
  type Workspace,
} from './phases.js';
import { watchProgress, type ProgressWatch } from './progress.js';
import { persist } from './pulse.js';
import { startIsTimed, timeRatio, timeStart } from './timing.js';
import {
  equalTraining,
  keyOf,
  ownerOfPhase,
  reuseSaving,
  reusedRun,
  turnOf,
  unreadByTraining,
  type EqualTraining,
  type Keyed,
} from './reuse.js';

/** The very same is trained by another replicate now: wait for that, without a lease. */
export interface Elsewhere {
  elsewhere: EqualTraining;
}

export const isElsewhereNow = (result: object | null): result is Elsewhere =>
  result !== null && 'elsewhere' in result;

export interface TrainingOf {
  context: HostContext;
  work: HostedTrial;
  claim: Claim;
  /** The recipe as it was submitted. */
  files: readonly StoredFile[];
  signal: AbortSignal;
}

/** A training with what it has come to so far. */
interface Training extends TrainingOf {
  folders: Folders;
  runs: PhaseRun[];
  saved: Saving[];
  /** What training left, where it is stored: the phase that comes next is keyed by it. */
  left: StoredFile[] | null;
  sharesTraining: string | null;
  progress: Trained['progress'];
}

interface Folders {
  recipe: string;
  /** The recipe again, as submitted: what training wrote beside its outputs is not there for packing. */
  packing: string;
  tmp: string;
  packingTmp: string;
  out: string;
  scratch: string;
  artifact: string;
  sealed: string;
}

/** Runs the phases in a fresh folder and stores every byte that counts before it returns. */
export async function runTraining(of: TrainingOf): Promise<Trained | Elsewhere> {
  const { context, work, claim } = of;
  const { spec } = work.hosted;
  return withWorkspace(
    context,
    nameOf(claim),
    work.trial.snapshot,
    async (workspace) => {
      const folders = await foldersIn(workspace);
      const fresh = { runs: [], saved: [], left: null, sharesTraining: null, progress: [] };
      const training: Training = { ...of, ...fresh, folders };
      const failure = await phasesOf(training);
      if (isElsewhereNow(failure)) return failure;
      return failure === null ? sealAndGate(training) : trainedWith(training, failure, {});
    },
    (files) => visibleFiles(seenBy(spec, 'train'), files),
  );
}

/** The exact size, right after the last phase and before any evaluation. */
async function sealAndGate(training: Training): Promise<Trained> {
  const { context, work, files, folders, runs, signal } = training;
  const { lineage } = context;
  const { spec } = work.hosted;
  const packs = spec.phases.pack !== undefined;
  const sealed = await sealOr(packs ? folders.artifact : folders.out, folders.sealed, work);
  if ('refused' in sealed) return trainedWith(training, sealed.refused, {});
  const metrics = { bytes: countedBytes(spec, files) + sealed.bytes, ...timesOf(training) };
  const found = margins(spec.gates, metrics);
  const miss = firstMiss(margins(exactGates(spec.gates), metrics));
  const stored = await persist(signal, () => storeSealed(lineage, folders.sealed, sealed));
  const run = runs.at(-1);
  if (run !== undefined && run.reusedFrom === null)
    await persist(signal, () => finish(training, packs ? 'pack' : 'train', run, stored));
  return {
    ...trainedWith(training, miss === undefined ? null : missFailure(training, 'pack', miss), metrics),
    margins: found,
    artifact: { digest: sealed.digest, files: stored },
  };
}

/** What the harness's clock says of the training. */
function timesOf({ runs }: Training): Record<string, number> {
  const run = runs.find(({ phase }) => phase === 'train');
  const ratio = run === undefined ? null : timeRatio(run);
  return { train_s: (run?.wallMs ?? 0) / 1000, ...(ratio === null ? {} : { [TIME_RATIO]: ratio }) };
}

function trainedWith(
  { claim, runs, saved, sharesTraining, progress }: Training,
  failure: Failure | null,
  metrics: Record<string, number>,
): Trained {
  const base = { fence: claim.fence, artifact: null, margins: [], at: new Date() };
  return { ...base, failure, runs, metrics, sharesTraining, saved, progress };
}

async function foldersIn({ folder, recipe, tmp, out }: Workspace): Promise<Folders> {
  const artifact = join(folder, 'artifact');
  await mkdir(artifact);
  const [packing, scratch] = [join(folder, 'packing'), join(folder, 'checkpoint')];
  const packingTmp = join(folder, 'packing-tmp');
  return { recipe, packing, tmp, packingTmp, out, scratch, artifact, sealed: join(folder, 'sealed') };
}

/** By which the folders of an attempt are called. */
const nameOf = ({ replicate, fence }: Claim): string => `${sha256(replicate._id).slice(0, 20)}-${fence}`;

const keyed = ({ context, work, claim, files }: Training): Keyed => ({
  context,
  work,
  replicate: claim.replicate,
  files,
});

/** Trains and packs, unless that has been done; the first failure, or missed gate, ends it. */
async function phasesOf(training: Training): Promise<Failure | null | Elsewhere> {
  const { work } = training;
  const { spec } = work.hosted;
  const failure = await trainPhase(training);
  if (failure !== null) return failure;
  const late = firstMiss(margins(exactGates(spec.gates), timesOf(training)));
  if (late !== undefined) return missFailure(training, 'train', late);
  return spec.phases.pack === undefined ? null : packPhase(training, spec.phases.pack);
}

async function trainPhase(training: Training): Promise<Failure | null | Elsewhere> {
  const { context, work, claim, folders, runs, signal } = training;
  const { lineage } = context;
  const time = () => timeStart(training, nameOf(claim), (at) => trainCall(training, at));
  const restored = await restoreCheckpoint(lineage, claim.replicate, folders.out);
  if (restored !== null) {
    const { run, files } = restored;
    runs.push(run);
    training.left = files;
    if (comparesTimes(work.hosted.spec)) run.startMs ??= await time();
    if (work.hosted.spec.phases.pack !== undefined)
      await persist(signal, () => finish(training, 'train', run, files));
    return null;
  }
  const equal = equalTraining(keyed(training));
  const by = ownerOfPhase(claim.replicate, work.trial.number, 'train');
  const turn = equal === null ? null : await turnOf(lineage, by, equal.key);
  if (equal !== null && turn?.kind === 'elsewhere') return { elsewhere: equal };
  if (turn?.kind === 'done') {
    training.left = turn.result.files;
    training.sharesTraining = turn.result.replicate;
    training.progress = turn.result.progress;
    await reuse(training, turn.result, folders.out);
    return null;
  }
  const timed = startIsTimed(training, claim.replicate);
  const before = timed === 'before' ? await time() : null;
  const watch = await watchProgress(context, work, signal);
  const { failure, run } = await runPhase(training, trainCall(training, folders), watch);
  training.progress = [...watch.points()];
  if (failure !== null) return failure;
  run.startMs = before;
  const packs = work.hosted.spec.phases.pack !== undefined;
  if (packs || timed === 'after')
    training.left = await persist(signal, () => keepCheckpoint(lineage, claim, run, folders));
  if (timed === 'after') run.startMs = await time();
  const { left } = training;
  if (packs && left !== null) await persist(signal, () => finish(training, 'train', run, left));
  return null;
}

async function packPhase(
  training: Training,
  pack: { run: string; timeout_s: number },
): Promise<Failure | null> {
  const { context, work, files, folders, left } = training;
  const { lineage } = context;
  const { out, artifact, packing } = folders;
  const key = left === null ? null : keyOf(keyed(training), 'pack', left);
  const found = key === null ? null : await lineage.phases.finished(work.trial.owner, key);
  if (found !== null) {
    await reuse(training, found, artifact);
    return null;
  }
  const sees = seenBy(work.hosted.spec, 'pack');
  await writeFolder(packing, await lineage.blobs.readFiles(visibleFiles(sees, files)));
  const data = sees.data ? work.hosted.parts.train : null;
  // nor is what training left in its home
  await mkdir(folders.packingTmp);
  const { failure } = await runPhase(training, {
    phase: 'pack',
    tmp: folders.packingTmp,
    command: pack.run,
    cwd: packing,
    timeoutS: pack.timeout_s,
    writable: [packing, artifact],
    readable: [...(sees.outputs ? [out] : []), ...(data === null ? [] : [data])],
    env: {
      ...(sees.outputs ? { ASSAY_INPUT: out } : {}),
      ...(data === null ? {} : { ASSAY_DATA: data }),
      ASSAY_OUTPUT: artifact,
    },
  });
  return failure;
}

/** Takes a result instead of running its phase again. */
async function reuse({ context, work, runs, saved }: Training, found: Finished, to: string): Promise<void> {
  await writeFolder(to, await context.lineage.blobs.readFiles(found.files));
  runs.push(reusedRun(found));
  saved.push(reuseSaving(work, found));
}

/** Makes a result known to whoever needs the same. */
async function finish(
  training: Training,
  phase: 'train' | 'pack',
  run: PhaseRun,
  files: StoredFile[],
): Promise<void> {
  const { context, work, claim, left, progress } = training;
  const key = phase === 'pack' && left === null ? null : keyOf(keyed(training), phase, left);
  if (key === null) return;
  const by = ownerOfPhase(claim.replicate, work.trial.number, phase);
  await context.lineage.phases.finish(by, key, { run, files, progress });
}

/** `tmp`: the phase's own home. */
type Call = Omit<PhaseCall, 'id' | 'signal'> & { tmp: string };

function trainCall(
  { work: { hosted, campaign }, claim }: TrainingOf,
  { recipe, tmp, out }: Pick<Folders, 'recipe' | 'tmp' | 'out'>,
): Call {
  const { spec } = hosted;
  const { trainSeconds: override } = campaign.frozen;
  const data = seenBy(spec, 'train').data ? hosted.parts.train : null;
  return {
    phase: 'train',
    tmp,
    command: spec.phases.train.run,
    cwd: recipe,
    timeoutS: trainTimeout(spec, override),
    writable: [recipe, out],
    readable: data === null ? [] : [data],
    env: {
      ASSAY_SEED: String(claim.replicate.seed),
      ASSAY_OUTPUT: out,
      ASSAY_TRAIN_SECONDS: String(trainBudget(spec, override)),
      ...(data === null ? {} : { ASSAY_DATA: data }),
    },
  };
}

async function runPhase(
  training: Training,
  { tmp, ...call }: Call,
  watch: ProgressWatch | null = null,
): Promise<{ failure: Failure | null; run: PhaseRun }> {
  const { context, work, claim, runs, saved, signal } = training;
  const { phase } = call;
  await claim.stage(phase === 'pack' ? 'packing' : 'training');
  const id = `${claim.replicate._id}/${claim.fence}/${phase}`;
  const env = { ASSAY_SEED: String(claim.replicate.seed), ...call.env };
  const request = requestOf(context, work.hosted, { ...call, id, env, signal: watch?.signal ?? signal }, tmp);
  const result = await context.sandbox.run(
    watch === null ? request : { ...request, onOutput: (_, line) => watch.see(line) },
  );
  Context.current().heartbeat(phase);
  if (result.ending.kind === 'cancelled') signal.throwIfAborted();
  const run = await persist(signal, () => recordRun(context.lineage, phase, result));
  runs.push(run);
  const stopped = result.ending.kind === 'cancelled' ? (watch?.stopped(run) ?? null) : null;
  if (stopped === null) return { failure: failureOf(phase, result), run };
  saved.push(stopped.saving);
  return { failure: stopped.failure, run };
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

const UNITS: Readonly<Record<string, string>> = { train_s: 's', [TIME_RATIO]: '' };

/** A missed gate, with what spares the next trial from training again. */
function missFailure(training: Training, phase: 'train' | 'pack', miss: Margin): Failure {
  const { work, files, left } = training;
  const { gates } = work.hosted.spec;
  const unread = unreadByTraining(work, files).slice(0, 5);
  const again =
    phase === 'pack' && unread.length > 0 && left !== null && keyOf(keyed(training), 'train', null) !== null
      ? `; training need not be repeated when you change only ${unread.join(', ')}`
      : '';
  return {
    status: statusOfMiss(gates, miss),
    phase,
    reason: `${missText(miss)}${again}`,
    limit: {
      name: miss.gate,
      used: miss.value,
      allowed: miss.limit,
      unit: UNITS[miss.metric] ?? 'bytes',
    },
    tail: '',
  };
}
