import { textOfReason } from '../../domain/campaign/reasons.js';
import type { Measure } from '../../domain/task/task.js';
import type { CampaignState } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader, isoOrNull } from './campaign-header.js';
import { frontierOf, type Frontier } from './progress.js';

/** One campaign in the list. */
export interface CampaignLine {
  campaign: string;
  state: CampaignState;
  reason: string | null;
  task: string;
  metric: Measure;
  counted: number;
  trialsLimit: number;
  frontier: Frontier | null;
  createdAt: string;
  endedAt: string | null;
}

/** `assay.campaigns/1`, newest first. */
export interface CampaignsModel {
  schema: 'assay.campaigns/1';
  asOf: string;
  campaigns: CampaignLine[];
}

export async function campaignsModel(lineage: Lineage, limit: number): Promise<CampaignsModel> {
  const campaigns: CampaignLine[] = [];
  for (const campaign of await lineage.campaigns.list(limit)) campaigns.push(await lineOf(lineage, campaign));
  return { schema: 'assay.campaigns/1', asOf: new Date().toISOString(), campaigns };
}

async function lineOf(
  lineage: Lineage,
  { _id, owner, ...campaign }: CampaignDocument,
): Promise<CampaignLine> {
  const [{ metric }, budget, totals, decision] = await Promise.all([
    campaignHeader(lineage, _id),
    lineage.budgets.find(owner),
    lineage.trials.totals(owner),
    lineage.decisions.frontier(owner),
  ]);
  return {
    campaign: _id,
    state: campaign.state,
    reason: textOfReason(campaign.reason),
    task: campaign.frozen.task.name,
    metric,
    counted: totals.counted,
    trialsLimit: (budget?.limits ?? campaign.frozen.limits).trials,
    frontier: await frontierOf(lineage, decision),
    createdAt: campaign.createdAt.toISOString(),
    endedAt: isoOrNull(campaign.endedAt),
  };
}
