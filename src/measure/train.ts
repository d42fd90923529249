import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, treeDigest } from '../domain/digest.js';
import { exactGates, firstMiss, margins, statusOfMiss, type Margin } from '../domain/task/gates.js';
import { missText } from '../domain/trial/outcome-of.js';
import type { Failure } from '../domain/trial/outcome.js';
import { seenBy, visibleFiles } from '../domain/task/phase-key.js';
import { keptTrainingBytes } from '../domain/task/kept-training.js';
import { comparesTimes, TIME_RATIO } from '../domain/task/task.js';
import { packClock, trainClock } from '../domain/task/phase-clock.js';
import type { PhaseRun, Saving, StoredFile, Trained } from '../lineage/documents/documents.js';
import type { Finished } from '../lineage/trials/phase-results.js';
import { sealedOrRefused } from './seal-outputs.js';
import { removeTree } from '../sandbox/remove-tree.js';
import { sealTo, type Sealed } from '../sandbox/sealing/seal.js';
import { writeSealed } from '../sandbox/sealing/sealed-tree.js';
import { writeFolder } from '../tasks/folder.js';
import { keepCheckpoint, restoreCheckpoint, storeSealed } from './checkpoint.js';
import type { Attempt } from './attempt.js';
import type { HostContext } from './host-context.js';
import type { HostedTrial } from './load-trial.js';
import { countedBytes, sealLimits, withWorkspace, type Workspace } from './phases.js';
import { watchProgress } from './early-stop.js';
import { persist } from '../lineage/persist.js';
import { runPhase, trainCall, type Call } from './run-phase.js';
import { startIsTimed, timeRatio, timeStart } from './baseline-timing.js';
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
  claim: Attempt;
  /** The recipe as it was submitted. */
  files: readonly StoredFile[];
  signal: AbortSignal;
}

/** A training with what it has come to so far. */
export interface Training extends TrainingOf {
  folders: Folders;
  runs: PhaseRun[];
  saved: Saving[];
  left: Left | null;
  sharesTraining: string | null;
  progress: Trained['progress'];
}

/** Sealed outputs of training, by which the next phase is keyed. */
interface Left {
  sealed: Sealed;
  /** True when its content is in the store. */
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
      const folders = foldersIn(workspace);
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
  const run = runs.findLast(({ phase }) => phase === 'train');
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

function foldersIn({ folder, recipe, tmp, out }: Workspace): Folders {
  const [packing, packingTmp] = [join(folder, 'packing'), join(folder, 'packing-tmp')];
  const [left, artifact, packed] = [join(folder, 'left'), join(folder, 'artifact'), join(folder, 'packed')];
  return { recipe, packing, tmp, packingTmp, out, left, artifact, packed };
}

/** By which the folders of an attempt are called. */
const nameOf = ({ replicate, fence }: Attempt): string => `${sha256(replicate._id).slice(0, 20)}-${fence}`;

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
  const { failure, run, progress } = await runPhase(training, {
    call: trainCall(training, folders),
    clock: trainClock(spec, work.campaign.frozen.trainSeconds),
    prepare: async (again) => (again ? clearTraining(training) : undefined),
    watch: () => watchProgress(context, work, signal),
  });
  training.progress = [...progress];
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

async function packPhase(training: Training, pack: { run: string }, left: Left): Promise<Failed | Artifact> {
  const { context, work, files, folders } = training;
  const { lineage } = context;
  const { artifact, packing, packed, packingTmp } = folders;
  const key = left.kept ? keyOf(keyed(training), 'pack', left.sealed.files) : null;
  const found = key === null ? null : await lineage.phases.finished(work.trial.owner, key);
  if (found !== null) return { sealed: await reuse(training, found, packed), folder: packed };
  const { spec, parts } = work.hosted;
  const sees = seenBy(spec, 'pack');
  const data = sees.data ? parts.train : null;
  const clock = packClock(spec, work.campaign.frozen.trainSeconds);
  const call: Call = {
    phase: 'pack',
    tmp: packingTmp,
    command: pack.run,
    cwd: packing,
    timeoutS: clock.limitS,
    writable: [packing, artifact],
    readable: [...(sees.outputs ? [folders.left] : []), ...(data === null ? [] : [data])],
    env: {
      ...(sees.outputs ? { ASSAY_INPUT: folders.left } : {}),
      ...(data === null ? {} : { ASSAY_DATA: data }),
      ASSAY_OUTPUT: artifact,
    },
  };
  const prepare = async (): Promise<void> => {
    // where nothing held training, it can have made them; nor is what training left in its home
    await freshFolders([packing, packingTmp, artifact]);
    await writeFolder(packing, await lineage.blobs.readFiles(visibleFiles(sees, files)));
  };
  const { failure } = await runPhase(training, { call, clock, prepare });
  if (failure !== null) return { failure };
  const { sealed, refused } = await sealedOrRefused(sealTo(artifact, packed, sealLimits(work.hosted)));
  return refused === null ? { sealed, folder: packed } : { failure: refused };
}

/** What a first run of training was given, again. */
async function clearTraining({ context, work, files, folders }: Training): Promise<void> {
  const { recipe, tmp, out } = folders;
  const { blobs } = context.lineage;
  await freshFolders([recipe, tmp, out]);
  await writeFolder(recipe, await blobs.readFiles(visibleFiles(seenBy(work.hosted.spec, 'train'), files)));
}

async function freshFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    await removeTree(folder);
    await mkdir(folder);
  }
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
