import { treeDigest } from '../../domain/digest.js';
import type { KeyedPhase } from '../../domain/task/phase-key.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { Finished, PhaseOutput, PhaseOwner } from '../../lineage/trials/phase-results.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { keyOf, ownerOfPhase, reusedRun, reuseSaving } from '../reuse.js';
import { writeOutputs } from './kept-outputs.js';
import { keyedBy, type Training } from './training.js';

/** Takes a result instead of running its phase again. */
export async function reusePhase(
  { context, work, runs, saved }: Training,
  found: Finished,
  to: string,
): Promise<Sealed> {
  await writeOutputs(context, found, to);
  runs.push(reusedRun(found));
  saved.push(reuseSaving(work, found));
  return sealedAgain(found);
}

/** Turns stored outputs back into sealed ones. */
export const sealedAgain = ({ bytes, files }: Pick<Sealed, 'bytes' | 'files'>): Sealed => ({
  bytes,
  files,
  digest: treeDigest(files),
});

/** Publishes a result for every measurement that needs the same. */
export async function finishPhase(
  training: Training,
  phase: 'train' | 'pack',
  run: PhaseRun,
  { bytes, files, onHost }: Omit<PhaseOutput, 'run' | 'progress'>,
): Promise<void> {
  const { context, left, progress } = training;
  // what was packed of a training that is not kept cannot be found again by it
  if (phase === 'pack' && left?.kept == null) return;
  const key = keyOf(keyedBy(training), phase, left?.sealed.files ?? null);
  if (key === null) return;
  await context.lineage.phases.finish(ownerOf(training, phase), key, { run, bytes, files, onHost, progress });
}

/** Says that what training left is not kept, to those who wait for an equal training. */
export async function leaveTrainingUnkept(training: Training): Promise<void> {
  const key = keyOf(keyedBy(training), 'train', null);
  if (key !== null) await training.context.lineage.phases.leaveUnkept(ownerOf(training, 'train'), key);
}

/** The owner of a phase of this training. */
export const ownerOf = (
  { work, attempt }: Pick<Training, 'work' | 'attempt'>,
  phase: KeyedPhase,
): PhaseOwner => ownerOfPhase(attempt.replicate, work.trial.number, phase);
