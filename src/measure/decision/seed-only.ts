import { isSeedOnly } from '../../domain/trial/seed-only.js';
import type { FileBytes } from '../../lineage/blob-store/blobs.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';

/** Tells whether a trial differs in nothing but seeds from its parent, or from the frontier that it would replace. */
export async function changesOnlySeed(
  lineage: Lineage,
  { owner, snapshot, parentSnapshot }: TrialDocument,
  frontier: number | null,
): Promise<boolean> {
  if (parentSnapshot === null || frontier === null) return false;
  if (await differsInSeeds(lineage, parentSnapshot, snapshot)) return true;
  const best = await lineage.trials.require(owner, frontier);
  return best.snapshot !== parentSnapshot && differsInSeeds(lineage, best.snapshot, snapshot);
}

/** Bytes of files that differ, on either side; an edit of more is not looked into. */
const MOST_BYTES = 1024 * 1024;

/** Reads only the files that differ. */
async function differsInSeeds(lineage: Lineage, before: string, after: string): Promise<boolean> {
  const { blobs } = lineage;
  const [old, now] = [await blobs.tree(before), await blobs.tree(after)];
  const known = new Set(old.map(({ path, sha256 }) => `${sha256} ${path}`));
  const kept = new Set(now.map(({ path, sha256 }) => `${sha256} ${path}`));
  const left = old.filter(({ path, sha256 }) => !kept.has(`${sha256} ${path}`));
  const came = now.filter(({ path, sha256 }) => !known.has(`${sha256} ${path}`));
  // one that is only there on one side is no edit of a line
  if (left.length !== came.length) return false;
  const size = (files: typeof left): number => files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (Math.max(size(left), size(came)) > MOST_BYTES) return false;
  const read = async (files: typeof left): Promise<FileBytes[]> => blobs.readFiles(files);
  return isSeedOnly(await read(left), await read(came));
}
