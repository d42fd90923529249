import { AssayError } from '../../domain/errors.js';
import type { StoredArtifact } from '../../analysis/read-models/stored-artifact.js';
import type { ContentStore } from '../../lineage/blob-store/content-store.js';
import type { Lineage } from '../../lineage/lineage.js';
import { keptHere } from '../../measure/host-store/kept-here.js';
import { homeFolder } from '../folders.js';
import { writeOut } from './write-out.js';

/**
 * Finds what gives out the files of an artifact: the store, or this host where it keeps them.
 * @throws AssayError ARTIFACT_ON_HOST, ARTIFACT_GONE
 */
export async function storeOf(
  { blobs }: Pick<Lineage, 'blobs'>,
  { digest, onHost, files }: Pick<StoredArtifact, 'digest' | 'onHost' | 'files'>,
  home: string,
): Promise<Pick<ContentStore, 'writeTo'>> {
  if (onHost === null) return blobs;
  const { host, folder, gone } = onHost;
  const what = `artifact ${digest.slice(0, 16)}`;
  const lost = new AssayError('ARTIFACT_GONE', `${what} was kept on ${host}, which has it no more`);
  if (gone !== null) throw lost;
  const kept = await keptHere(home);
  if (kept?.place.folder !== folder)
    throw new AssayError('ARTIFACT_ON_HOST', `${what} is too large for the store and is kept on ${host}`);
  for (const { sha256 } of files) if (!(await kept.keeps(sha256))) throw lost;
  return kept;
}

/**
 * Writes an artifact, if its files are in reach.
 * @returns why they are not; empty where they are
 */
export async function writeIfInReach(
  lineage: Pick<Lineage, 'blobs'>,
  folder: string,
  artifact: StoredArtifact,
): Promise<string[]> {
  try {
    await writeArtifact(lineage, folder, artifact);
    return [];
  } catch (error) {
    if (!(error instanceof AssayError) || !OUT_OF_REACH.has(error.code)) throw error;
    return [`${error.message}. ${error.remedy}`];
  }
}

const OUT_OF_REACH: ReadonlySet<string> = new Set(['ARTIFACT_ON_HOST', 'ARTIFACT_GONE']);

/** Writes an artifact below a folder that does not hold its files yet. */
export async function writeArtifact(
  lineage: Pick<Lineage, 'blobs'>,
  folder: string,
  artifact: StoredArtifact,
): Promise<void> {
  await writeOut(await storeOf(lineage, artifact, homeFolder()), folder, artifact.files);
}
