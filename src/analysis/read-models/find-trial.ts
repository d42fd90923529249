import { AssayError } from '../../domain/errors.js';
import { parseTrialRef, trialLabel } from '../../domain/keys.js';
import type { Lineage } from '../../lineage/lineage.js';

/** A trial that exists. */
export interface TrialPlace {
  campaign: string;
  number: number;
  /** True when no campaign was named, so that the latest one was taken. */
  assumed: boolean;
}

/**
 * Finds what a person means by `demo/t00007`, `t00007` or `7`.
 * @throws AssayError USAGE, CAMPAIGN_UNKNOWN, TRIAL_UNKNOWN
 */
export async function findTrial(
  lineage: Lineage,
  reference: string,
  campaign: string | undefined,
): Promise<TrialPlace> {
  const parsed = parseTrialRef(reference);
  if (parsed === null)
    throw new AssayError('USAGE', `"${reference}" is not a trial: write it as demo/t00007, t00007 or 7`);
  const named = parsed.campaign ?? campaign;
  const name = named ?? (await latestCampaign(lineage));
  const { owner } = await lineage.campaigns.byName(name);
  if ((await lineage.trials.get(owner, parsed.number)) === null)
    throw new AssayError('TRIAL_UNKNOWN', `campaign "${name}" has no trial ${trialLabel(parsed.number)}`, {
      remedy: `\`assay trials ${name}\` lists its trials.`,
    });
  return { campaign: name, number: parsed.number, assumed: named === undefined };
}

/** @throws AssayError CAMPAIGN_UNKNOWN when the store has none */
async function latestCampaign(lineage: Lineage): Promise<string> {
  const [latest] = await lineage.campaigns.list(1);
  if (latest !== undefined) return latest._id;
  throw new AssayError('CAMPAIGN_UNKNOWN', 'there is no campaign in this store', {
    remedy: '`assay demo` runs a small one.',
  });
}
