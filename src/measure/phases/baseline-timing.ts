import type { DeviceLease } from '../../devices/device-lease.js';
import { AssayError } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { comparesTimes, type Task } from '../../domain/task/task.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { RunResult } from '../../sandbox/run.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { failureOf, requestOf } from './phase.js';
import { makeRunFolders, removeRunFolders, type RunFolders } from './run-folders.js';
import type { Call } from './calls.js';
import type { TrainingOf } from './training.js';

/**
 * Decides when the start's own training is timed beside this one: by turns before and after it, so that a host that
 * grows slower or faster favours neither. Null where the task compares no times.
 */
export function startIsTimed(task: Task, index: number): 'before' | 'after' | null {
  if (!comparesTimes(task)) return null;
  return index % 2 === 0 ? 'after' : 'before';
}

/**
 * Trains the start recipe once more, with the same seed on the same lease, for its wall time in milliseconds alone:
 * what it leaves is dropped.
 * @throws AssayError HOST_FAULT when it does not train here, which it has done before
 */
export async function timeStart(
  { context, work, attempt, signal }: TrainingOf,
  name: string,
  callOf: (folders: RunFolders) => Call,
): Promise<number> {
  const { snapshot } = await context.lineage.trials.require(work.trial.owner, START);
  await attempt.stage('timing the start beside it');
  const id = `${attempt.replicate._id}/${attempt.fence}/control`;
  return timeTraining(context, work.hosted, { snapshot, name: `${name}-start`, id, callOf }, signal);
}

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
  callOf: (folders: RunFolders) => Call;
}

/**
 * Trains a start for its wall time in milliseconds alone.
 * @throws AssayError HOST_FAULT when it does not train here
 */
export async function timeTraining(
  context: RunHost,
  hosted: HostedTask,
  { snapshot, name, id, callOf }: TimedTraining,
  signal: AbortSignal,
): Promise<number> {
  const visible = visibleFiles(seenBy(hosted.spec, 'train'), await context.lineage.blobs.tree(snapshot));
  const folders = await makeRunFolders(context, name, visible);
  try {
    const { tmp, ...call } = callOf(folders);
    const result = await context.sandbox.run(requestOf(context, hosted, { ...call, id, signal }, tmp));
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    const failure = failureOf('train', result);
    await requireSteady(hosted.spec, result, context.granted);
    if (failure === null) return Math.max(result.wallMs, 1);
    throw new AssayError(
      'HOST_FAULT',
      `the start recipe, trained once more to compare times, ended as ${failure.status}: ${failure.reason}`,
    );
  } finally {
    await removeRunFolders(folders);
  }
}

/**
 * Computes the ratio that times are compared by: that of a training over that of the start beside it; nothing where
 * none was.
 */
export const timeRatio = ({ wallMs, startMs }: Pick<PhaseRun, 'wallMs' | 'startMs'>): number | null =>
  startMs === null ? null : wallMs / startMs;
