import { trialLabel } from '../../domain/keys.js';
import { claimedMeasure, decisionMeasure, type Measure, type Task } from '../../domain/task/task.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import { claimRemark } from '../statistics/claim-wording.js';
import { claimView, type ClaimView } from '../statistics/claim-view.js';
import type { Lineage } from '../../lineage/lineage.js';

/** A campaign and what its numbers mean. */
export interface CampaignHeader {
  campaign: CampaignDocument;
  spec: Task;
  /** Metric of its scores. */
  metric: Measure;
  claim: ClaimView;
  /** Claim about its scores, in one sentence that stands beside them. */
  remark: string;
}

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function campaignHeader(lineage: Lineage, name: string): Promise<CampaignHeader> {
  const campaign = await lineage.campaigns.byName(name);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  const metric = decisionMeasure(spec);
  const claim = claimView(campaign, await lineage.claims.list(campaign.owner), spec);
  return { campaign, spec, metric, claim, remark: claimRemark(claim, claimedMeasure(spec).unit) };
}

export function labelOrNull(number: number | null): string | null {
  return number === null ? null : trialLabel(number);
}

export function isoOrNull(date: Date | null): string | null {
  return date === null ? null : date.toISOString();
}
