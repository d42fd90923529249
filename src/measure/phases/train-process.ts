import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { trainClock } from '../../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { keptTrainingBytes } from '../../domain/task/kept-training.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import { persist } from '../../lineage/persist.js';
import { removeTree } from '../../sandbox/remove-tree.js';
import { seal, sealTo, type Sealed } from '../../sandbox/sealing/seal.js';
import { writeFolder } from '../../tasks/folder.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { placeOfStart, timeStart } from './baseline-timing.js';
import { pairOf, pairWith, unpaired } from './pairs.js';
import { settingsOf, trainCall, type TrainSettings } from './calls.js';
import { watchProgress } from './early-stop.js';
import { keepOutputs, whereabouts, writeOutputs } from './kept-outputs.js';
import { artifactLimits, sealLimits } from './phase.js';
import { freshFolders } from './run-folders.js';
import { copyCache } from './private-cache.js';
import { runPhase } from './run-phase.js';
import { artifactFailure, sealedOrRefused } from './seal-outputs.js';
import { orderFor, stageInputs } from './staged-inputs.js';
import type { Elsewhere, Failed, Left, Training } from './training.js';
import { withUntold } from './unready.js';

/** A process that has trained, with what it left. */
export interface TrainedProcess {
  run: PhaseRun;
  sealed: Sealed;
}

/** Where a process is sealed to, and what is kept of it before the start is timed after it. */
interface Sealing {
  to: string;
  keep?: (done: TrainedProcess, isTimedAfter: boolean) => Promise<void>;
}

/**
 * Trains one cold process, and the start beside it where the task compares times; seals what it left.
 * @throws AssayError LOAD_CHANGED, CANDIDATE_SLOWED where the two were measured under different loads
 */
export async function trainProcess(
  training: Training,
  settings: TrainSettings,
  { to, keep }: Sealing,
): Promise<Failed | TrainedProcess> {
  const { context, work, attempt, folders, signal } = training;
  const { spec } = work.hosted;
  const { process } = settings;
  const { processes } = spec.replicate;
  const place = placeOfStart(spec, work.campaign.secret, { ...attempt.replicate, process });
  const before = place === 'before' ? await timeStart(training, settings) : null;
  const { failure, run, progress, said, others } = await runPhase(training, {
    call: trainCall(settings, folders),
    clock: trainClock(spec, work.campaign.frozen.trainSeconds),
    prepare: (again) => prepareTraining(context, settings, training, again),
    watch: () => watchProgress(context, work, signal, processes - 1 - process),
    ...(processes === 1 ? {} : { process }),
  });
  if (process === 0) training.progress = [...progress];
  training.said = said;
  if (failure !== null) return { failure };
  if (place !== null) run.pair = unpaired(context, others, before === null ? 'candidate' : 'start');
  if (before !== null) pairWith(run, before, pairOf(training));
  const { sealed, refused } = await sealedOrRefused(sealTo(folders.out, to, sealLimits(work.hosted)));
  if (refused !== null) return { failure: withUntold(refused, spec, said) ?? refused };
  // a disk is asked to hold it once
  await removeTree(folders.out);
  const done = { run, sealed };
  await keep?.(done, place === 'after');
  if (place === 'after') pairWith(run, await timeStart(training, settings), pairOf(training));
  return done;
}

/**
 * Trains several processes, one after the other; what each left is in a folder of its number.
 * @param warm makes the caches that they see, once some process has to be trained
 */
export async function trainProcesses(
  training: Training,
  warm: () => Promise<Failed | Elsewhere | null>,
): Promise<Failed | Elsewhere | Left> {
  const { work, folders, runs } = training;
  const { spec } = work.hosted;
  const { processes } = spec.replicate;
  await mkdir(folders.left);
  const restored = await restoredProcesses(training);
  const cold = restored.size < processes ? await warm() : null;
  if (cold !== null) return cold;
  for (const settings of settingsOf(training)) {
    const { process } = settings;
    const before = restored.get(process);
    if (before !== undefined) {
      runs.push(before);
      continue;
    }
    const to = processFolder(training, process);
    const done = await trainProcess(training, settings, { to });
    if ('failure' in done) return { failure: ofProcess(done.failure, process, processes) };
    const unfit = withUntold(await artifactFailure(spec, done.sealed, to), spec, training.said);
    if (unfit !== null) return { failure: ofProcess(unfit, process, processes) };
    await persist(training.signal, () => keepProcess(training, process, done));
  }
  const { sealed, refused } = await sealedOrRefused(seal(folders.left, artifactLimits(work.hosted)));
  return refused === null ? { sealed, kept: null } : { failure: refused };
}

const processFolder = ({ folders }: Pick<Training, 'folders'>, process: number): string =>
  join(folders.left, String(process));

/** Says of which process a failure is. */
export const ofProcess = (failure: Failure, process: number, processes: number): Failure => ({
  ...failure,
  reason: `process ${process} of ${processes}: ${failure.reason}`,
});

/** Keeps a finished process, so that an attempt after one that is lost need not train it again; as far as there is room. */
async function keepProcess(
  { context, work, attempt, folders, progress, said }: Training,
  process: number,
  { run, sealed }: TrainedProcess,
): Promise<void> {
  const { _id: replicate } = attempt.replicate;
  const storedUpTo = Math.min(keptTrainingBytes(work.hosted.spec), context.kept.storedUpTo);
  const folder = processFolder({ folders }, process);
  const kept = await keepOutputs(context, { replicate, folder, sealed, storedUpTo, must: false });
  if (kept === null) return;
  const { bytes, files } = sealed;
  const told = { progress: process === 0 ? progress : [], said: [...said] };
  const finished = { process, fence: attempt.fence, run, bytes, files, onHost: kept.onHost, ...told };
  await context.lineage.replicates.keepProcess(replicate, finished);
}

/** Puts back the processes that earlier attempts have finished and that are in reach; gives their runs. */
async function restoredProcesses(training: Training): Promise<Map<number, PhaseRun>> {
  const { context, attempt } = training;
  const { _id: key, processes = [] } = attempt.replicate;
  const restored = new Map<number, PhaseRun>();
  for (const finished of processes) {
    if ((await whereabouts(context, key, finished)) !== 'here') continue;
    await writeOutputs(context, finished, processFolder(training, finished.process));
    restored.set(finished.process, finished.run);
    if (finished.process === 0) training.progress = finished.progress;
    training.said = finished.said;
  }
  return restored;
}

/** Gives a process fresh folders, where an earlier run has used them, and what it will see when it says a word. */
export async function prepareTraining(
  { lineage }: Pick<RunHost, 'lineage'>,
  settings: TrainSettings,
  of: Pick<Training, 'files' | 'folders'>,
  again: boolean,
): Promise<void> {
  if (again || settings.process > 0) await clearTraining({ lineage }, settings.hosted, of);
  await stageInputs(settings.hosted, of.folders, orderFor(settings));
  await copyCache(settings.cache, of.folders.cache);
}

/** Gives training again what its first run was given. */
async function clearTraining(
  { lineage }: Pick<RunHost, 'lineage'>,
  { spec }: Pick<HostedTask, 'spec'>,
  { files, folders }: Pick<Training, 'files' | 'folders'>,
): Promise<void> {
  const { recipe, tmp, out } = folders;
  await freshFolders([recipe, tmp, out]);
  const visible = visibleFiles(seenBy(spec, 'train'), files);
  await writeFolder(recipe, await lineage.blobs.readFiles(visible));
}
