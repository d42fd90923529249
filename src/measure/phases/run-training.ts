import { START } from '../../domain/keys.js';
import { exactGates, firstMiss, margins, type Margin } from '../../domain/task/gates.js';
import { missFailure, type SizeParts } from '../../domain/trial/miss-failure.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { measuredTimes, trainingRuns, type MeasuredTimes } from '../../domain/trial/paired-times.js';
import type { Trained } from '../../lineage/documents/replicate.js';
import { persist } from '../../lineage/persist.js';
import { mayEvaluate } from '../load-trial.js';
import { keyOf, unreadByTraining } from '../reuse.js';
import { keepOutputs, type KeptOutputs } from './kept-outputs.js';
import { packPhase } from './pack-phase.js';
import { countedBytes } from '../counted-bytes.js';
import { finishPhase } from './reused-phase.js';
import { makeRunFolders, removeRunFolders } from './run-folders.js';
import { artifactFailure } from './seal-outputs.js';
import { servedCache } from './served-cache.js';
import { withUntold } from './unready.js';
import { trainPhase } from './train-phase.js';
import {
  folderName,
  isElsewhereNow,
  keyedBy,
  trainingFolders,
  type Artifact,
  type Elsewhere,
  type Failed,
  type Training,
  type TrainingOf,
} from './training.js';

/** Runs the phases in a fresh folder and stores every byte that counts before it returns. */
export async function runTraining(of: TrainingOf): Promise<Trained | Elsewhere> {
  const { context, work, attempt, files } = of;
  const visible = visibleFiles(seenBy(work.hosted.spec, 'train'), files);
  const folders = await makeRunFolders(context, folderName(attempt), visible);
  try {
    const fresh = {
      runs: [],
      saved: [],
      left: null,
      sharesTraining: null,
      progress: [],
      said: [],
      caches: { own: null, start: null },
    };
    const training: Training = { ...of, ...fresh, folders: trainingFolders(folders) };
    const result = await phasesOf(training);
    if (isElsewhereNow(result)) return result;
    return 'failure' in result
      ? trainedWith(training, result.failure, {})
      : await gateAndStore(training, result);
  } finally {
    await removeRunFolders(folders);
  }
}

/**
 * Trains and packs, unless that has been done, and seals the result; the first failure, or missed gate, ends it.
 */
async function phasesOf(training: Training): Promise<Failed | Elsewhere | Artifact> {
  const { work, folders } = training;
  const { spec } = work.hosted;
  const left = await trainPhase(training);
  if (isElsewhereNow(left) || 'failure' in left) return left;
  training.left = left;
  const late = firstMiss(margins(exactGates(spec.gates), timesOf(training).metrics));
  if (late !== undefined) return missed(training, late);
  if (spec.phases.pack !== undefined) return packPhase(training, spec.phases.pack, left);
  return { sealed: left.sealed, folder: folders.left };
}

/** The exact size, before any evaluation. What misses a gate is not stored: its digest and sizes say enough. */
async function gateAndStore(training: Training, { sealed, folder }: Artifact): Promise<Trained> {
  const { work, files, runs, signal } = training;
  const { spec } = work.hosted;
  // of several processes each was looked at as it ended
  const unfit = spec.replicate.processes > 1 ? null : await artifactFailure(spec, sealed, folder);
  const untold = withUntold(unfit, spec, training.said);
  if (untold !== null) return trainedWith(training, untold, {});
  const times = timesOf(training);
  const code = await countedBytes(training.context, work.hosted, files, signal);
  const metrics = { bytes: code + sealed.bytes, ...times.metrics };
  const miss = firstMiss(margins(exactGates(spec.gates), metrics));
  const parts = { code, artifact: sealed.bytes };
  const failure = miss === undefined ? null : missed(training, miss, parts).failure;
  const outputs = { bytes: sealed.bytes, files: sealed.files, onHost: null };
  const served = failure === null ? await servedCache(training) : {};
  if ('failure' in served) return trainedWith(training, served.failure, metrics);
  const kept = failure === null ? await keepArtifact(training, { sealed, folder }) : outputs;
  const run = runs.at(-1);
  if (failure === null && run !== undefined && run.reusedFrom === null) {
    const phase = spec.phases.pack === undefined ? 'train' : 'pack';
    await persist(signal, () => finishPhase(training, phase, run, { ...outputs, onHost: kept.onHost }));
  }
  return {
    ...trainedWith(training, failure, metrics),
    standardErrors: times.errors,
    margins: margins(spec.gates, metrics),
    artifact: { ...sealed, onHost: kept.onHost },
    ...served,
  };
}

/** Keeps the artifact until it is evaluated, whatever the room: without it the training was for nothing. */
async function keepArtifact(
  training: Training,
  { sealed, folder }: Artifact,
): Promise<Pick<KeptOutputs, 'onHost'>> {
  const { context, attempt, signal } = training;
  const replicate = attempt.replicate._id;
  const storedUpTo = (await mayStayHere(training)) ? context.kept.storedUpTo : Infinity;
  const kept = await persist(signal, () =>
    keepOutputs(context, { replicate, folder, sealed, storedUpTo, must: true }),
  );
  return kept ?? { onHost: null };
}

/** After this an evaluator of this host that does not report has left; a living one reports each minute. */
const SILENT_MS = 3 * 60_000;

/**
 * Returns true where an artifact may stay on this host: a host evaluates it here, and it is not the one of the start
 * that every host needs, to tell whether an evaluator is broken.
 */
async function mayStayHere({ context, work, attempt }: Training): Promise<boolean> {
  const { trial, index, purpose, hostClass } = attempt.replicate;
  if (trial === START && index === 0 && purpose === 'search') return false;
  const { folder } = context.kept.place;
  const evaluates = await context.lineage.hosts.hasReported(folder, 'evaluator', SILENT_MS);
  return evaluates && (await mayEvaluate(context, work, hostClass));
}

/** Times of the training by the harness's clock. */
function timesOf({ work, runs }: Training): MeasuredTimes {
  return measuredTimes(work.hosted.spec.replicate, trainingRuns(runs));
}

function trainedWith(
  { attempt, runs, saved, sharesTraining, progress }: Training,
  failure: Failure | null,
  metrics: Record<string, number>,
): Trained {
  const base = { fence: attempt.fence, artifact: null, margins: [], at: new Date() };
  return { ...base, failure, runs, metrics, sharesTraining, saved, progress };
}

/** A missed gate, with what spares the next trial from training again. */
function missed(training: Training, miss: Margin, parts?: SizeParts): Failed {
  const { work, files, left } = training;
  const failure = missFailure(work.hosted.spec, miss, parts);
  const unread = unreadByTraining(work, files).slice(0, 5);
  const again =
    failure.phase === 'pack' &&
    unread.length > 0 &&
    left?.kept != null &&
    keyOf(keyedBy(training), 'train', null) !== null
      ? `; training need not be repeated when you change only ${unread.join(', ')}`
      : '';
  return { failure: { ...failure, reason: `${failure.reason}${again}` } };
}
