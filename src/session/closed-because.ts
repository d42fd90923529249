import { textOfReason } from '../domain/campaign/reasons.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';

/** Says why a campaign takes no more proposals; null while it does. */
export async function closedBecause(lineage: Lineage, campaign: CampaignDocument): Promise<string | null> {
  const { control, controlReason, owner } = campaign;
  if (control === 'draining' || control === 'stopping') return textOfReason(controlReason) ?? control;
  const { trials, submissions } = await lineage.budgets.limits(owner);
  const { counted, submitted } = await lineage.trials.totals(owner);
  if (counted >= trials) return `the limit of ${trials} trials is reached`;
  if (submitted >= submissions) return `the limit of ${submissions} submissions is reached`;
  return null;
}
