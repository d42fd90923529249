import { AssayError } from '../../domain/errors.js';
import { comparesTimes } from '../../domain/task/task.js';
import { seenBy } from '../../domain/task/phase-key.js';
import type { Failure } from '../../domain/trial/outcome.js';
import { persist } from '../../lineage/persist.js';
import { equalTraining, ownerOfPhase, turnOf } from '../reuse.js';
import { timeStart } from './baseline-timing.js';
import { isBegunElsewhere, isVoid, pairOf, pairWith, voidedOrThrow } from './pairs.js';
import { settingsOf } from './calls.js';
import { keepCheckpoint, restoreCheckpoint } from './checkpoint.js';
import type { KeptOutputs } from './kept-outputs.js';
import { finishPhase, leaveTrainingUnkept, reusePhase, sealedAgain } from './reused-phase.js';
import { prewarm } from './prewarm-phase.js';
import { trainProcess, trainProcesses } from './train-process.js';
import { keyedBy, type Caches, type Elsewhere, type Failed, type Left, type Training } from './training.js';

/** Takes what an earlier attempt or another replicate has left, or trains; seals the result. */
export async function trainPhase(training: Training): Promise<Failed | Elsewhere | Left> {
  const { context, work, attempt, folders } = training;
  const restored = await restoreTraining(training).catch((error: unknown) => voidedAs(training, error));
  if (restored !== null) return restored;
  const equal = equalTraining(keyedBy(training));
  if (equal === null) return trainAndSeal(training);
  const by = ownerOfPhase(attempt.replicate, work.trial.number, 'train');
  const turn = await turnOf(context, by, equal.key);
  if (turn.kind === 'elsewhere') return { elsewhere: equal };
  if (turn.kind === 'mine') return trainAndSeal(training);
  training.sharesTraining = turn.result.replicate;
  training.progress = turn.result.progress;
  return { sealed: await reusePhase(training, turn.result, folders.left), kept: turn.result };
}

const packs = ({ work }: Training): boolean => work.hosted.spec.phases.pack !== undefined;

/** Puts back what an earlier attempt kept; null when there is none. */
async function restoreTraining(training: Training): Promise<Failed | Elsewhere | Left | null> {
  const { context, work, attempt, folders, runs, signal } = training;
  const { checkpoint, _id: key } = attempt.replicate;
  if (checkpoint !== null && isBegunElsewhere(context, work.hosted.spec, checkpoint.run)) {
    await context.lineage.replicates.dropCheckpoint(key, attempt.fence);
    return null;
  }
  const restored = await restoreCheckpoint(training, folders.left);
  if (restored === null) return null;
  const { run } = restored;
  runs.push(run);
  training.progress = restored.progress;
  training.said = restored.said;
  if (comparesTimes(work.hosted.spec) && run.startMs === null) {
    const cold = await warm(training, ['start']);
    if (cold !== null) return cold;
    for (const settings of settingsOf(training))
      pairWith(run, await timeStart(training, settings), pairOf(training));
  }
  if (packs(training)) await persist(signal, () => finishPhase(training, 'train', run, restored));
  return { sealed: sealedAgain(restored), kept: restored };
}

/** Trains every process of a measurement. */
async function trainAndSeal(training: Training): Promise<Failed | Elsewhere | Left> {
  try {
    return training.work.hosted.spec.replicate.processes === 1
      ? await trainAlone(training)
      : await trainProcesses(training, () => warm(training, ['own', 'start']));
  } catch (error) {
    return voidedAs(training, error);
  }
}

/** Makes the caches that training sees. */
const warm = (training: Training, wanted: readonly (keyof Caches)[]): Promise<Failed | Elsewhere | null> =>
  seenBy(training.work.hosted.spec, 'train').cache ? prewarm(training, wanted) : Promise.resolve(null);

const voidedAs = async (training: Training, error: unknown): Promise<Failed> => ({
  failure: await voided(training, error),
});

/** Drops what was kept of a training whose pair is void; gives the failure where it is given up. */
async function voided(training: Training, error: unknown): Promise<Failure> {
  const { context, attempt } = training;
  if (!isVoid(error)) throw error;
  await context.lineage.replicates.dropCheckpoint(attempt.replicate._id, attempt.fence);
  return voidedOrThrow(training, error);
}

/** Trains the one process of a measurement, and keeps what it left for packing, or while the start is timed. */
async function trainAlone(training: Training): Promise<Failed | Elsewhere | Left> {
  const cold = await warm(training, ['own', 'start']);
  if (cold !== null) return cold;
  const { folders, signal } = training;
  const [settings] = settingsOf(training);
  if (settings === undefined) throw new AssayError('INTERNAL', 'a training without a process');
  const keeping: { kept: KeptOutputs | null } = { kept: null };
  const done = await trainProcess(training, settings, {
    to: folders.left,
    keep: async ({ run, sealed }, isTimedAfter) => {
      if (!packs(training) && !isTimedAfter) return;
      const of = { folder: folders.left, sealed };
      keeping.kept = await persist(signal, () => keepCheckpoint(training, run, of));
    },
  });
  if ('failure' in done) return done;
  const { run, sealed } = done;
  const { kept } = keeping;
  if (packs(training)) {
    const { bytes, files } = sealed;
    await persist(signal, () =>
      kept === null
        ? leaveTrainingUnkept(training)
        : finishPhase(training, 'train', run, { bytes, files, onHost: kept.onHost }),
    );
  }
  return { sealed, kept };
}
