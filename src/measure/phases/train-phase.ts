import { trainClock } from '../../domain/task/phase-clock.js';
import { seenBy, visibleFiles } from '../../domain/task/phase-key.js';
import { comparesTimes } from '../../domain/task/task.js';
import { persist } from '../../lineage/persist.js';
import { removeTree } from '../../sandbox/remove-tree.js';
import { sealTo } from '../../sandbox/sealing/seal.js';
import { writeFolder } from '../../tasks/folder.js';
import type { HostedTask } from '../../tasks/host.js';
import type { RunHost } from '../host-context.js';
import { equalTraining, ownerOfPhase, turnOf } from '../reuse.js';
import { startIsTimed, timeStart } from './baseline-timing.js';
import { settingsOf, trainCall } from './calls.js';
import { keepCheckpoint, restoreCheckpoint } from './checkpoint.js';
import { watchProgress } from './early-stop.js';
import { sealLimits } from './phase.js';
import { finishPhase, reusePhase, sealedAgain } from './reused-phase.js';
import { freshFolders } from './run-folders.js';
import { runPhase } from './run-phase.js';
import { sealedOrRefused } from './seal-outputs.js';
import { folderName, keyedBy, type Elsewhere, type Failed, type Left, type Training } from './training.js';

/** Takes what an earlier attempt or another replicate has left, or trains; seals the result. */
export async function trainPhase(training: Training): Promise<Failed | Elsewhere | Left> {
  const { context, work, attempt, folders } = training;
  const restored = await restoreTraining(training);
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

const timeStartBeside = (training: Training): Promise<number> =>
  timeStart(training, folderName(training.attempt), (at) => trainCall(settingsOf(training), at));

/** Puts back what an earlier attempt kept; null when there is none. */
async function restoreTraining(training: Training): Promise<Left | null> {
  const { work, folders, runs, signal } = training;
  const restored = await restoreCheckpoint(training, folders.left);
  if (restored === null) return null;
  const { run } = restored;
  runs.push(run);
  if (comparesTimes(work.hosted.spec)) run.startMs ??= await timeStartBeside(training);
  if (packs(training)) await persist(signal, () => finishPhase(training, 'train', run, restored));
  return { sealed: sealedAgain(restored), kept: restored };
}

async function trainAndSeal(training: Training): Promise<Failed | Left> {
  const { context, work, attempt, folders, signal } = training;
  const { spec } = work.hosted;
  const timed = startIsTimed(spec, attempt.replicate.index);
  const before = timed === 'before' ? await timeStartBeside(training) : null;
  const { failure, run, progress } = await runPhase(training, {
    call: trainCall(settingsOf(training), folders),
    clock: trainClock(spec, work.campaign.frozen.trainSeconds),
    prepare: async (again) => (again ? clearTraining(context, work.hosted, training) : undefined),
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
  const isOfUse = packs(training) || timed === 'after';
  const keep = () => keepCheckpoint(training, run, { folder: folders.left, sealed });
  const kept = isOfUse ? await persist(signal, keep) : null;
  if (timed === 'after') run.startMs = await timeStartBeside(training);
  if (packs(training) && kept !== null) {
    const { bytes, files } = sealed;
    const output = { bytes, files, onHost: kept.onHost };
    await persist(signal, () => finishPhase(training, 'train', run, output));
  }
  return { sealed, kept };
}

/** Gives training again what its first run was given. */
export async function clearTraining(
  { lineage }: Pick<RunHost, 'lineage'>,
  { spec }: Pick<HostedTask, 'spec'>,
  { files, folders }: Pick<Training, 'files' | 'folders'>,
): Promise<void> {
  const { recipe, tmp, out } = folders;
  await freshFolders([recipe, tmp, out]);
  const visible = visibleFiles(seenBy(spec, 'train'), files);
  await writeFolder(recipe, await lineage.blobs.readFiles(visible));
}
