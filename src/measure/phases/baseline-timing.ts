import { AssayError } from '../../domain/errors.js';
import { START } from '../../domain/keys.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { comparesTimes } from '../../domain/task/task.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import { failureOf, requestOf } from './phase.js';
import { makeRunFolders, removeRunFolders, type RunFolders } from './run-folders.js';
import type { Call } from './calls.js';
import type { TrainingOf } from './training.js';

/**
 * Decides when the start's own training is timed beside this one: by turns before and after it, so that a host that
 * grows slower or faster favours neither. Null where the task compares no times.
 */
export function startIsTimed(
  { work }: TrainingOf,
  { index }: Pick<ReplicateDocument, 'index'>,
): 'before' | 'after' | null {
  if (!comparesTimes(work.hosted.spec)) return null;
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
  const { lineage } = context;
  const { spec } = work.hosted;
  const { snapshot } = await lineage.trials.require(work.trial.owner, START);
  await attempt.stage('timing the start beside it');
  const visible = visibleFiles(seenBy(spec, 'train'), await lineage.blobs.tree(snapshot));
  const folders = await makeRunFolders(context, `${name}-start`, visible);
  try {
    const { tmp, ...call } = callOf(folders);
    const id = `${attempt.replicate._id}/${attempt.fence}/control`;
    const result = await context.sandbox.run(requestOf(context, work.hosted, { ...call, id, signal }, tmp));
    if (result.ending.kind === 'cancelled') signal.throwIfAborted();
    const failure = failureOf('train', result);
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
