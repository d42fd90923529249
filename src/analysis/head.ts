import { trialLabel } from '../domain/keys.js';
import { decisionMetric, type Task } from '../domain/task.js';
import type { CampaignDocument } from '../lineage/documents.js';
import type { Lineage } from '../lineage/lineage.js';

/** Stands beside every score for as long as decisions are greedy on single runs. */
export const NOTHING_CLAIMED = 'decided greedily on single runs of unknown noise: nothing is claimed';

/** What a score of a campaign is a number of. */
export interface ScoreMetric {
  name: string;
  unit: string;
  direction: Task['metric']['direction'];
}

/** A campaign and what its numbers mean. */
export interface CampaignHead {
  campaign: CampaignDocument;
  spec: Task;
  metric: ScoreMetric;
}

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function campaignHead(lineage: Lineage, name: string): Promise<CampaignHead> {
  const campaign = await lineage.campaigns.byName(name);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  const { unit, direction } = spec.metric;
  return { campaign, spec, metric: { name: decisionMetric(spec), unit, direction } };
}

export function labelOrNull(number: number | null): string | null {
  return number === null ? null : trialLabel(number);
}

export function isoOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
