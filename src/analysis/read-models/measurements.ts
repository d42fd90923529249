import type { ReplicateDocument } from '../../lineage/documents/replicate.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';

/** All that was measured of a trial: the runs of the search, then the fresh ones of the claims. */
export async function measurementsOf(
  lineage: Lineage,
  { owner, replicates, snapshot }: TrialDocument,
): Promise<ReplicateDocument[]> {
  const claims = await lineage.claims.list(owner);
  const fresh = await lineage.replicates.many(claims.flatMap((claim) => claim.replicates));
  return [
    ...(await lineage.replicates.many(replicates)),
    ...fresh.filter((one) => one.snapshot === snapshot).sort((a, b) => a.index - b.index),
  ];
}
