import type { DeviceLease } from '../../devices/device-lease.js';
import { AssayError } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { comparesTimes, type Task } from '../../domain/task/task.js';
import { gpusOf } from '../../domain/task/device-needs.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { givesUp, loadDifference, type MeasuredLoad } from '../../domain/trial/pair-load.js';
import { startGoesFirst } from '../../domain/trial/processes.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import { underLoad } from '../../sandbox/host/load-watch.js';
import type { RunResult } from '../../sandbox/run.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { cacheSeen, trainCall, type TrainSettings } from './calls.js';
import { failureOf, requestOf } from './phase.js';
import { orderFor, stageInputs } from './staged-inputs.js';
import { copyCache } from './private-cache.js';
import { makeRunFolders, removeRunFolders } from './run-folders.js';
import { folderName, type Training, type TrainingOf } from './training.js';

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
 * Refuses a training that is compared by its time while its accelerators slowed themselves down: its time says nothing
 * of the recipe.
 * @throws AssayError DEVICE_THROTTLED
 */
export async function requireSteady(
  task: Task,
  { deviceUse = [] }: Pick<RunResult, 'deviceUse'>,
  granted: Pick<DeviceLease, 'coolDown'> | null,
): Promise<void> {
  const slowed = deviceUse.filter(({ throttled }) => throttled.length > 0);
  if (!comparesTimes(task) || slowed.length === 0) return;
  const names = slowed.map(({ uuid, throttled }) => `${uuid} (${throttled.join(', ')})`).join(', ');
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

/** Builds the record of a pair of which only the candidate is measured. */
export const unpaired = (
  { host }: Pick<RunHost, 'host'>,
  others: number,
  first: 'start' | 'candidate' = 'candidate',
): NonNullable<PhaseRun['pair']> => ({
  ...{ first, others, startOthers: null, startSpeed: null },
  host: host.name,
});

/**
 * Returns true for a run whose pair was begun elsewhere, on another host or on other accelerators: the start timed here
 * would be compared with what it never ran beside.
 */
export function isBegunElsewhere(
  { host, granted }: Pick<RunHost, 'host'> & { granted: Pick<DeviceLease, 'accessTo'> | null },
  task: Task,
  { pair, startMs, devices }: Pick<PhaseRun, 'pair' | 'startMs' | 'devices'>,
): boolean {
  if (!comparesTimes(task) || startMs !== null) return false;
  if (pair?.host !== host.name) return true;
  const gpus = gpusOf(task, 'train');
  const here = gpus === 0 || granted === null ? [] : granted.accessTo(gpus).uuids;
  return here.length !== devices.length || devices.some(({ uuid }) => !here.includes(uuid));
}

/**
 * Enters the start's time beside a run; gives it, in milliseconds.
 * @throws AssayError LOAD_CHANGED, CANDIDATE_SLOWED where the two were measured under different loads, so that they say nothing
 */
export function pairWith(run: Pick<PhaseRun, 'hostSpeed' | 'startMs' | 'pair'>, start: StartTime): number {
  const { first, others, host } = run.pair ?? { first: 'candidate', others: null, host: null };
  const differs = loadDifference(start, { hostSpeed: run.hostSpeed, others });
  if (differs !== null)
    throw new AssayError(
      differs.mayBeItsOwn ? 'CANDIDATE_SLOWED' : 'LOAD_CHANGED',
      `its time cannot be compared: ${differs.why}`,
    );
  const { others: startOthers, hostSpeed: startSpeed } = start;
  run.startMs = start.wallMs;
  run.pair = { first, others, startOthers, startSpeed, host };
  return start.wallMs;
}

/** Returns true for the error of a pair that says nothing. */
export const isVoid = (error: unknown): error is AssayError =>
  error instanceof AssayError && (error.code === 'LOAD_CHANGED' || error.code === 'CANDIDATE_SLOWED');

/**
 * The failure of a trial that was slower than the start beside it again and again, so that its pairs were void: one
 * recipe may not hold up a campaign.
 * @throws AssayError what was caught, where it may pass, is the start's own, or is of the host and its other work
 */
export function voidedOrThrow({ work, attempt }: TrainingOf, error: AssayError): Failure {
  if (error.code !== 'CANDIDATE_SLOWED') throw error;
  const times = attempt.replicate.faults.filter(({ code }) => code === error.code).length + 1;
  if (!givesUp(times, work.trial.number === START)) throw error;
  const reason = `${error.message}; so it was ${times} times, while the start can be timed`;
  return { status: 'crash', phase: 'train', reason, limit: null, tail: '' };
}
