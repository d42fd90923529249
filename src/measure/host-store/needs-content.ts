import { isEnded } from '../../domain/statuses.js';
import type { Lineage } from '../../lineage/lineage.js';

/**
 * Returns true while a measurement may need the outputs that it has kept: until it is evaluated, or its trial or
 * campaign has ended. Equal recipes share a measurement: the one that another trial has taken over is still needed.
 */
export async function needsContent(
  { replicates, campaigns, trials }: Pick<Lineage, 'replicates' | 'campaigns' | 'trials'>,
  key: string,
): Promise<boolean> {
  const [replicate] = await replicates.many([key]);
  if (replicate === undefined) return false;
  const { owner, purpose, trained, evaluated } = replicate;
  if (isEnded((await campaigns.byOwner(owner)).state)) return false;
  if (evaluated !== null || (trained !== null && trained.failure !== null)) return false;
  // trials that are compared for a claim, and a start that calibrates, have ended
  return purpose !== 'search' || (await trials.isOpenFor(owner, key));
}
