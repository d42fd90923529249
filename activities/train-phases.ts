import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { sha256, treeDigest } from '../src/domain/digest.js';
import { exactGates, firstMiss, margins, statusOfMiss, type Margin } from '../src/domain/gates.js';
import { missText } from '../src/domain/outcome-of.js';
import type { Failure } from '../src/domain/outcome.js';
import { seenBy, visibleFiles } from '../src/domain/phase-key.js';
import { keptTrainingBytes } from '../src/domain/task/kept-training.js';
import { comparesTimes, TIME_RATIO, trainBudget, trainTimeout } from '../src/domain/task.js';
import type { PhaseRun, Saving, StoredFile, Trained } from '../src/lineage/documents.js';
import type { Finished } from '../src/lineage/phase-results.js';
import { sealedOrRefused } from '../src/measure/seal-outputs.js';
import { removeTree } from '../src/sandbox/remove.js';
import { sealTo, type Sealed } from '../src/sandbox/seal.js';
import { writeSealed } from '../src/sandbox/sealed-tree.js';
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
  left: Left | null;
  sharesTraining: string | null;
  progress: Trained['progress'];
}

/** What training left, sealed: the phase that comes next is keyed by it. */
interface Left {
  sealed: Sealed;
  /** Whether it is stored. */
  kept: boolean;
}

interface Folders {
  recipe: string;
  /** The recipe again, as submitted: what training wrote beside its outputs is not there for packing. */
  packing: string;
  tmp: string;
  packingTmp: string;
  out: string;
  /** What training left, sealed. */
  left: string;
  artifact: string;
  /** What packing left, sealed. */
  packed: string;
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
      const result = await phasesOf(training);
      if (isElsewhereNow(result)) return result;
      return 'failure' in result ? trainedWith(training, result.failure, {}) : gateAndStore(training, result);
    },
    (files) => visibleFiles(seenBy(spec, 'train'), files),
  );
}

/** Sealed outputs, and the folder that holds them. */
interface Artifact {
  sealed: Sealed;
  folder: string;
}

/** The exact size, before any evaluation. What misses a gate is not stored: its digest and sizes say enough. */
async function gateAndStore(training: Training, { sealed, folder }: Artifact): Promise<Trained> {
  const { context, work, files, runs, signal } = training;
  const { spec } = work.hosted;
  const metrics = { bytes: countedBytes(spec, files) + sealed.bytes, ...timesOf(training) };
  const miss = firstMiss(margins(exactGates(spec.gates), metrics));
  const failure = miss === undefined ? null : missFailure(training, 'pack', miss);
  if (failure === null) {
    await persist(signal, () => storeSealed(context.lineage, folder, sealed));
    const phase = spec.phases.pack === undefined ? 'train' : 'pack';
    const run = runs.at(-1);
    if (run !== undefined && run.reusedFrom === null)
      await persist(signal, () => finish(training, phase, run, sealed));
  }
  return {
    ...trainedWith(training, failure, metrics),
    margins: margins(spec.gates, metrics),
    artifact: sealed,
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
  const [packing, packingTmp] = [join(folder, 'packing'), join(folder, 'packing-tmp')];
  const [left, packed] = [join(folder, 'left'), join(folder, 'packed')];
  return { recipe, packing, tmp, packingTmp, out, left, artifact, packed };
}

/** By which the folders of an attempt are called. */
const nameOf = ({ replicate, fence }: Claim): string => `${sha256(replicate._id).slice(0, 20)}-${fence}`;

const keyed = ({ context, work, claim, files }: Training): Keyed => ({
  context,
  work,
  replicate: claim.replicate,
  files,
});

interface Failed {
  failure: Failure;
}

/** Trains and packs, unless that has been done, and seals what comes of it; the first failure, or missed gate, ends it. */
async function phasesOf(training: Training): Promise<Failed | Elsewhere | Artifact> {
  const { work, folders } = training;
  const { spec } = work.hosted;
  const left = await trainPhase(training);
  if (isElsewhereNow(left) || 'failure' in left) return left;
  training.left = left;
  const late = firstMiss(margins(exactGates(spec.gates), timesOf(training)));
  if (late !== undefined) return { failure: missFailure(training, 'train', late) };
  if (spec.phases.pack !== undefined) return packPhase(training, spec.phases.pack, left);
  return { sealed: left.sealed, folder: folders.left };
}

async function trainPhase(training: Training): Promise<Failed | Elsewhere | Left> {
  const { context, work, claim, folders, runs, signal } = training;
  const { lineage } = context;
  const { spec } = work.hosted;
  const packs = spec.phases.pack !== undefined;
  const time = () => timeStart(training, nameOf(claim), (at) => trainCall(training, at));
  const restored = await restoreCheckpoint(lineage, claim.replicate, folders.left);
  if (restored !== null) {
    const { run } = restored;
    runs.push(run);
    if (comparesTimes(spec)) run.startMs ??= await time();
    if (packs) await persist(signal, () => finish(training, 'train', run, restored));
    return { sealed: sealedAgain(restored), kept: true };
  }
  const equal = equalTraining(keyed(training));
  const by = ownerOfPhase(claim.replicate, work.trial.number, 'train');
  const turn = equal === null ? null : await turnOf(lineage, by, equal.key);
  if (equal !== null && turn?.kind === 'elsewhere') return { elsewhere: equal };
  if (turn?.kind === 'done') {
    training.sharesTraining = turn.result.replicate;
    training.progress = turn.result.progress;
    return { sealed: await reuse(training, turn.result, folders.left), kept: true };
  }
  const timed = startIsTimed(training, claim.replicate);
  const before = timed === 'before' ? await time() : null;
  const watch = await watchProgress(context, work, signal);
  const { failure, run } = await runPhase(training, trainCall(training, folders), watch);
  training.progress = [...watch.points()];
  if (failure !== null) return { failure };
  run.startMs = before;
  const { sealed, refused } = await sealedOrRefused(
    sealTo(folders.out, folders.left, sealLimits(work.hosted)),
  );
  if (refused !== null) return { failure: refused };
  // a disk is asked to hold it once
  await removeTree(folders.out);
  const kept = (packs || timed === 'after') && sealed.bytes <= keptTrainingBytes(spec);
  if (kept)
    await persist(signal, () => keepCheckpoint(lineage, claim, run, { folder: folders.left, sealed }));
  if (timed === 'after') run.startMs = await time();
  if (packs && kept) await persist(signal, () => finish(training, 'train', run, sealed));
  return { sealed, kept };
}

async function packPhase(
  training: Training,
  pack: { run: string; timeout_s: number },
  left: Left,
): Promise<Failed | Artifact> {
  const { context, work, files, folders } = training;
  const { lineage } = context;
  const { artifact, packing, packed, packingTmp } = folders;
  const key = left.kept ? keyOf(keyed(training), 'pack', left.sealed.files) : null;
  const found = key === null ? null : await lineage.phases.finished(work.trial.owner, key);
  if (found !== null) return { sealed: await reuse(training, found, packed), folder: packed };
  const sees = seenBy(work.hosted.spec, 'pack');
  // where nothing held training, it can have made them
  for (const folder of [packing, packingTmp]) await removeTree(folder);
  await writeFolder(packing, await lineage.blobs.readFiles(visibleFiles(sees, files)));
  const data = sees.data ? work.hosted.parts.train : null;
  // nor is what training left in its home
  await mkdir(packingTmp);
  const { failure } = await runPhase(training, {
    phase: 'pack',
    tmp: packingTmp,
    command: pack.run,
    cwd: packing,
    timeoutS: pack.timeout_s,
    writable: [packing, artifact],
    readable: [...(sees.outputs ? [folders.left] : []), ...(data === null ? [] : [data])],
    env: {
      ...(sees.outputs ? { ASSAY_INPUT: folders.left } : {}),
      ...(data === null ? {} : { ASSAY_DATA: data }),
      ASSAY_OUTPUT: artifact,
    },
  });
  if (failure !== null) return { failure };
  const { sealed, refused } = await sealedOrRefused(sealTo(artifact, packed, sealLimits(work.hosted)));
  return refused === null ? { sealed, folder: packed } : { failure: refused };
}

/** Takes a result instead of running its phase again. */
async function reuse({ context, work, runs, saved }: Training, found: Finished, to: string): Promise<Sealed> {
  await writeSealed(to, await context.lineage.blobs.readFiles(found.files));
  runs.push(reusedRun(found));
  saved.push(reuseSaving(work, found));
  return sealedAgain(found);
}

/** What was stored, as it was sealed. */
const sealedAgain = ({ bytes, files }: Pick<Sealed, 'bytes' | 'files'>): Sealed => ({
  bytes,
  files,
  digest: treeDigest(files),
});

/** Makes a result known to whoever needs the same. */
async function finish(
  training: Training,
  phase: 'train' | 'pack',
  run: PhaseRun,
  { bytes, files }: Pick<Sealed, 'bytes' | 'files'>,
): Promise<void> {
  const { context, work, claim, left, progress } = training;
  // what was packed of a training that is not stored cannot be found again by it
  if (phase === 'pack' && left?.kept !== true) return;
  const key = keyOf(keyed(training), phase, left?.sealed.files ?? null);
  if (key === null) return;
  const by = ownerOfPhase(claim.replicate, work.trial.number, phase);
  await context.lineage.phases.finish(by, key, { run, bytes, files, progress });
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

const UNITS: Readonly<Record<string, string>> = { train_s: 's', [TIME_RATIO]: '' };

/** A missed gate, with what spares the next trial from training again. */
function missFailure(training: Training, phase: 'train' | 'pack', miss: Margin): Failure {
  const { work, files, left } = training;
  const { gates } = work.hosted.spec;
  const unread = unreadByTraining(work, files).slice(0, 5);
  const again =
    phase === 'pack' &&
    unread.length > 0 &&
    left?.kept === true &&
    keyOf(keyed(training), 'train', null) !== null
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
