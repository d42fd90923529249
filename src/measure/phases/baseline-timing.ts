import type { DeviceLease } from '../../devices/device-lease.js';
import { AssayError } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { comparesTimes, type Task } from '../../domain/task/task.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import type { MeasuredLoad } from '../../domain/trial/pair-load.js';
import { startGoesFirst } from '../../domain/trial/processes.js';
import { underLoad } from '../../sandbox/host/load-watch.js';
import type { RunResult } from '../../sandbox/run.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { cacheSeen, trainCall, type TrainSettings } from './calls.js';
import { failureOf, requestOf } from './phase.js';
import { orderFor, stageInputs } from './staged-inputs.js';
import { copyCache } from './private-cache.js';
import { makeRunFolders, removeRunFolders } from './run-folders.js';
import { folderName, type Training } from './training.js';

/** Time of the start beside a training, in milliseconds, and the load under which it was taken. */
export interface StartTime extends MeasuredLoad {
  wallMs: number;
}

/**
 * Decides when the start is timed beside a process: before or after it, by lot. Null where the task compares no times.
 * @param secret a secret of the campaign
 * @param of snapshot, purpose and number of the measurement
 */
export function placeOfStart(
  task: Task,
  secret: string,
  {
    snapshot,
    purpose,
    index,
    process,
  }: { snapshot: string; purpose: string; index: number; process: number },
): 'before' | 'after' | null {
  if (!comparesTimes(task)) return null;
  const block = index * task.replicate.processes + process;
  return startGoesFirst(secret, `${purpose}\0${snapshot}`, block) ? 'before' : 'after';
}

/**
 * Trains the start recipe once more, as a process of this training on the same lease, for its wall time alone: what it
 * leaves is dropped.
 * @throws AssayError HOST_FAULT when it does not train here, which it has done before
 */
export async function timeStart(training: Training, of: TrainSettings): Promise<StartTime> {
  const { context, work, attempt, caches, signal } = training;
  const settings = { ...of, cache: cacheSeen(work.hosted, 'train', caches.start) };
  const { snapshot } = await context.lineage.trials.require(work.trial.owner, START);
  await attempt.stage('timing the start beside it');
  const id = `${attempt.replicate._id}/${attempt.fence}/control${numbered(settings)}`;
  return timeTraining(context, { snapshot, name: `${folderName(attempt)}-start`, id, settings }, signal);
}

/** `-3`: how a run of one of several processes is told from the others; empty where there is one. */
export const numbered = ({
  hosted,
  process,
}: Pick<TrainSettings, 'process'> & { hosted: Pick<HostedTask, 'spec'> }): string =>
  hosted.spec.replicate.processes === 1 ? '' : `-${process}`;

/**
 * Refuses a training that is compared by its time while its accelerators slowed themselves down in it, its warm-up
 * apart: its time says nothing of the recipe.
 * @throws AssayError DEVICE_THROTTLED
 */
export async function requireSteady(
  task: Task,
  { deviceUse = [] }: Pick<RunResult, 'deviceUse'>,
  granted: Pick<DeviceLease, 'coolDown'> | null,
): Promise<void> {
  const slowed = deviceUse.filter(({ throttledInTime }) => throttledInTime.length > 0);
  if (!comparesTimes(task) || slowed.length === 0) return;
  const names = slowed
    .map(({ uuid, throttledInTime }) => `${uuid} (${throttledInTime.join(', ')})`)
    .join(', ');
  const reason = `it slowed itself down while a time was measured on it: ${names}`;
  await granted?.coolDown(
    slowed.map(({ uuid }) => uuid),
    reason,
  );
  throw new AssayError('DEVICE_THROTTLED', `a device slowed itself down while a time was measured: ${names}`);
}

/** A training that is run for its time alone. */
interface TimedTraining {
  snapshot: string;
  /** Name of its folders. */
  name: string;
  /** Id that its processes are found by. */
  id: string;
  settings: TrainSettings;
}

/**
 * Trains a start for its wall time alone.
 * @throws AssayError HOST_FAULT when it does not train here
 */
export async function timeTraining(
  context: RunHost,
  { snapshot, name, id, settings }: TimedTraining,
  signal: AbortSignal,
): Promise<StartTime> {
  const { hosted } = settings;
  const visible = visibleFiles(seenBy(hosted.spec, 'train'), await context.lineage.blobs.tree(snapshot));
  const folders = await makeRunFolders(context, name, visible);
  try {
    await stageInputs(hosted, folders, orderFor(settings));
    await copyCache(settings.cache, folders.cache);
    const { tmp, ...call } = trainCall(settings, folders);
    const { result, others } = await underLoad(
      () => context.turn.others(),
      (onReady) =>
        context.sandbox.run({ ...requestOf(context, hosted, { ...call, id, signal }, tmp), onReady }),
    );
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    const failure = failureOf('train', result, call.warmupS);
    await requireSteady(hosted.spec, result, context.granted);
    if (failure === null) return { wallMs: Math.max(result.wallMs, 1), hostSpeed: result.hostSpeed, others };
    throw new AssayError(
      'HOST_FAULT',
      `the start recipe, trained once more to compare times, ended as ${failure.status}: ${failure.reason}`,
    );
  } finally {
    await removeRunFolders(folders);
  }
}
