import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhaseRun } from '../../lineage/documents/phase-run.js';
import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { Sealed } from '../../sandbox/sealing/seal.js';
import { writeSealed } from '../../sandbox/sealing/sealed-tree.js';
import type { Attempt } from '../attempt.js';

/** Stores what training left, so that an attempt that is lost before it has published need not train again. */
export async function keepCheckpoint(
  lineage: Lineage,
  attempt: Attempt,
  run: PhaseRun,
  { folder, sealed }: { folder: string; sealed: Sealed },
): Promise<void> {
  const { bytes } = sealed;
  const files = await storeSealed(lineage, folder, sealed);
  await lineage.replicates.keepCheckpoint(attempt.replicate._id, { fence: attempt.fence, run, bytes, files });
}

/** Puts back what an earlier attempt left after training; null when there is none. */
export async function restoreCheckpoint(
  lineage: Lineage,
  { checkpoint }: ReplicateDocument,
  to: string,
): Promise<ReplicateDocument['checkpoint']> {
  if (checkpoint !== null) await writeSealed(to, await lineage.blobs.readFiles(checkpoint.files));
  return checkpoint;
}

/** Stores the very files that were sealed, one at a time. */
export async function storeSealed(lineage: Lineage, folder: string, sealed: Sealed): Promise<StoredFile[]> {
  const stored: StoredFile[] = [];
  for (const { path } of sealed.files)
    stored.push(...(await lineage.blobs.putFiles([{ path, bytes: await readFile(join(folder, path)) }])));
  return stored;
}
