import { keptTrainingBytes } from '../../domain/task/kept-training.js';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { keepOutputs, whereabouts, writeOutputs, type KeptOutputs } from './kept-outputs.js';
import type { Training, TrainingOf } from './training.js';

/**
 * Keeps what training left, so that an attempt that is lost before it has published need not train again. Null where
 * this host has no room for it, which costs no more than another training.
 */
export async function keepCheckpoint(
  { context, work, attempt, progress, said }: Training,
  run: PhaseRun,
  { folder, sealed }: { folder: string; sealed: Sealed },
): Promise<KeptOutputs | null> {
  const { replicate, fence } = attempt;
  const storedUpTo = Math.min(keptTrainingBytes(work.hosted.spec), context.kept.storedUpTo);
  const asked = { replicate: replicate._id, folder, sealed, storedUpTo, must: false };
  const kept = await keepOutputs(context, asked);
  if (kept === null) return null;
  const { files, bytes } = sealed;
  const checkpoint = { fence, run, bytes, files, onHost: kept.onHost, progress, said: [...said] };
  await context.lineage.replicates.keepCheckpoint(replicate._id, checkpoint);
  return kept;
}

/** Puts back what an earlier attempt left after training; null when there is none in reach. */
export async function restoreCheckpoint(
  { context, attempt }: Pick<TrainingOf, 'context' | 'attempt'>,
  to: string,
): Promise<ReplicateDocument['checkpoint']> {
  const { _id: key, checkpoint } = attempt.replicate;
  if (checkpoint === null) return null;
  const { onHost } = checkpoint;
  if ((await whereabouts(context, key, checkpoint)) !== 'here') {
    if (onHost !== null) await context.lineage.replicates.loseCheckpoint(key, onHost);
    return null;
  }
  await writeOutputs(context, checkpoint, to);
  return checkpoint;
}
