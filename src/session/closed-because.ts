import { textOfReason } from '../domain/campaign/reasons.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { Lineage } from '../lineage/lineage.js';
import { uncollected } from './await-trials.js';

/**
 * Says why a campaign takes no more proposals; null while it does. A session that has trials under way goes on at the
 * limit on trials: it may withdraw one that has not begun, whose place comes back.
 */
export async function closedBecause(
  lineage: Lineage,
  campaign: CampaignDocument,
  session?: SessionDocument,
): Promise<string | null> {
  const { control, controlReason, owner } = campaign;
  if (control === 'draining' || control === 'stopping') return textOfReason(controlReason) ?? control;
  const { trials, submissions } = await lineage.budgets.limits(owner);
  const { counted, submitted } = await lineage.trials.totals(owner);
  const isAwaiting = session !== undefined && uncollected(session).length > 0;
  if (counted >= trials && !isAwaiting) return `the limit of ${trials} trials is reached`;
  if (submitted >= submissions) return `the limit of ${submissions} submissions is reached`;
  return null;
}
