import { isEnded } from '../../domain/statuses.js';
import { START } from '../../domain/keys.js';
import type { Lineage } from '../../lineage/lineage.js';

/**
 * Returns true while a measurement may need the outputs that it has kept: until it is evaluated, or its trial or
 * campaign has ended. That of the start tells who is at fault when an evaluator fails, to the end of its campaign.
 */
export async function needsContent(
  { replicates, campaigns, trials }: Pick<Lineage, 'replicates' | 'campaigns' | 'trials'>,
  key: string,
): Promise<boolean> {
  const [replicate] = await replicates.many([key]);
  if (replicate === undefined) return false;
  const { owner, trial, index, purpose, trained, evaluated } = replicate;
  if (isEnded((await campaigns.byOwner(owner)).state)) return false;
  if (trial === START && index === 0 && purpose === 'search') return true;
  if (evaluated !== null || (trained !== null && trained.failure !== null)) return false;
  // trials that are compared for a claim, and a start that calibrates, have ended
  return purpose !== 'search' || (await trials.require(owner, trial)).status === null;
}
