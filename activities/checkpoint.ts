import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PhaseRun, ReplicateDocument, StoredFile } from '../src/lineage/documents.js';
import type { Lineage } from '../src/lineage/lineage.js';
import { SealRefused, sealTo, type Sealed } from '../src/sandbox/seal.js';
import { writeFolder } from '../src/tasks/folder.js';
import type { Claim } from './claim.js';

/**
 * Bytes that a finished training may have left for `pack` to be kept in the store in between. With more than this, an
 * attempt that is lost while packing trains again.
 */
const LARGEST = 64 * 1024 * 1024;

/**
 * Stores what training left, so that an attempt that is lost while packing need not train again; null where it cannot
 * be kept.
 */
export async function keepCheckpoint(
  lineage: Lineage,
  claim: Claim,
  run: PhaseRun,
  { out, scratch }: { out: string; scratch: string },
): Promise<StoredFile[] | null> {
  const sealed = await sealTo(out, scratch, { maxBytes: LARGEST, maxFiles: 1000 }).catch((error: unknown) => {
    // what cannot be kept is for the real seal to judge
    if (error instanceof SealRefused) return null;
    throw error;
  });
  if (sealed === null) return null;
  const files = await storeSealed(lineage, scratch, sealed);
  await lineage.replicates.keepCheckpoint(claim.replicate._id, { fence: claim.fence, run, files });
  return files;
}

/** Puts back what an earlier attempt left after training; null when there is none. */
export async function restoreCheckpoint(
  lineage: Lineage,
  { checkpoint }: ReplicateDocument,
  out: string,
): Promise<ReplicateDocument['checkpoint']> {
  if (checkpoint !== null) await writeFolder(out, await lineage.blobs.readFiles(checkpoint.files));
  return checkpoint;
}

/** Stores the very files that were sealed. */
export async function storeSealed(lineage: Lineage, folder: string, sealed: Sealed): Promise<StoredFile[]> {
  const files: { path: string; bytes: Uint8Array }[] = [];
  for (const { path } of sealed.files) files.push({ path, bytes: await readFile(join(folder, path)) });
  return lineage.blobs.putFiles(files);
}
