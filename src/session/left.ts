import type { Left } from '../domain/session/left.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';

const HOUR_MS = 3_600_000;

/** Computes what is left of a campaign's limits: what is reserved for work that has not ended counts as used. */
export async function leftOf(
  lineage: Pick<Lineage, 'trials' | 'budgets'>,
  { owner, elapsed }: Pick<CampaignDocument, 'owner' | 'elapsed'>,
): Promise<Left> {
  const [{ counted }, { limits, held }] = await Promise.all([
    lineage.trials.totals(owner),
    lineage.budgets.get(owner),
  ]);
  const rest = (limit: number | null, used: number, unit: number): number | null =>
    limit === null ? null : Math.max(0, limit - used) / unit;
  return {
    trials: Math.max(0, limits.trials - counted),
    hours: rest(limits.hours, elapsed.ranMs / HOUR_MS, 1),
    dollars: rest(limits.microUsd, held.microUsd, 1e6),
    acceleratorSeconds: rest(limits.acceleratorMs, held.acceleratorMs, 1000),
  };
}
