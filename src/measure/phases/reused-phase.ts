import { treeDigest } from '../../domain/digest.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { Finished } from '../../lineage/trials/phase-results.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { writeSealed } from '../../sandbox/sealing/sealed-tree.js';
import { keyOf, ownerOfPhase, reusedRun, reuseSaving } from '../reuse.js';
import { keyedBy, type Training } from './training.js';

/** Takes a result instead of running its phase again. */
export async function reusePhase(
  { context, work, runs, saved }: Training,
  found: Finished,
  to: string,
): Promise<Sealed> {
  await writeSealed(to, await context.lineage.blobs.readFiles(found.files));
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
  { bytes, files }: Pick<Sealed, 'bytes' | 'files'>,
): Promise<void> {
  const { context, work, attempt, left, progress } = training;
  // what was packed of a training that is not stored cannot be found again by it
  if (phase === 'pack' && left?.kept !== true) return;
  const key = keyOf(keyedBy(training), phase, left?.sealed.files ?? null);
  if (key === null) return;
  const by = ownerOfPhase(attempt.replicate, work.trial.number, phase);
  await context.lineage.phases.finish(by, key, { run, bytes, files, progress });
}
