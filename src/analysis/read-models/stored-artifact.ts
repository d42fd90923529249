import { AssayError } from '../../domain/errors.js';
import { trialWorkflowId } from '../../domain/keys.js';
import type { OnHost } from '../../lineage/documents/on-host.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';

/** The sealed outputs of one training, whose bytes were kept. */
export interface StoredArtifact {
  /** Number of the replicate that left it. */
  replicate: number;
  digest: string;
  /** Counted size, names included. */
  bytes: number;
  files: StoredFile[];
  /** Place of its bytes; null where they are in the store. */
  onHost: OnHost | null;
}

/** The stored artifacts of a trial's runs in the search, in their order. */
export async function storedArtifacts(
  { replicates }: Pick<Lineage, 'replicates'>,
  trial: Pick<TrialDocument, 'replicates'>,
): Promise<StoredArtifact[]> {
  const measured = await replicates.many(trial.replicates);
  return measured.flatMap(({ index, trained }) =>
    trained?.artifact == null || trained.failure !== null ? [] : [{ replicate: index, ...trained.artifact }],
  );
}

/**
 * Finds the artifact of a trial's replicate, or of its first where none is named.
 * @throws AssayError ARTIFACT_MISSING
 */
export async function storedArtifact(
  lineage: Pick<Lineage, 'replicates'>,
  campaign: string,
  trial: TrialDocument,
  replicate: number | null,
): Promise<StoredArtifact> {
  const all = await storedArtifacts(lineage, trial);
  const found = replicate === null ? all[0] : all.find((one) => one.replicate === replicate);
  if (found !== undefined) return found;
  const id = trialWorkflowId(campaign, trial.number);
  const which = replicate === null ? '' : ` of replicate ${replicate}`;
  const there = all.length === 0 ? '' : `; there are those of ${all.map((one) => one.replicate).join(', ')}`;
  throw new AssayError('ARTIFACT_MISSING', `${id} has no stored artifact${which}${there}`, {
    remedy: `\`assay show ${id}\` shows what was measured; what failed or missed a gate left no artifact.`,
  });
}
