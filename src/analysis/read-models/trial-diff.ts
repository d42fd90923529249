import { trialWorkflowId } from '../../domain/keys.js';
import type { TrialStatus } from '../../domain/statuses.js';
import { treeDiff } from '../../lineage/blob-store/tree-diff.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { TrialPlace } from './find-trial.js';

/** One side of a comparison of recipes. */
export interface DiffSide {
  /** `demo/t00007`. */
  trial: string;
  role: string;
  /** null while it runs. */
  status: TrialStatus | null;
  score: number | null;
  /** Digest of its whole recipe. */
  snapshot: string;
}

/** `assay.diff/1`: how the recipe of one trial differs from that of another, of any campaigns. */
export interface TrialDiff {
  schema: 'assay.diff/1';
  before: DiffSide;
  after: DiffSide;
  /** Unified diff; empty where both are the same recipe. */
  diff: string;
}

/** @throws AssayError CAMPAIGN_UNKNOWN, TRIAL_UNKNOWN */
export async function trialDiff(lineage: Lineage, before: TrialPlace, after: TrialPlace): Promise<TrialDiff> {
  const sides = await Promise.all([sideOf(lineage, before), sideOf(lineage, after)]);
  const { diff } = await treeDiff(lineage.blobs, sides[0].snapshot, sides[1].snapshot);
  return { schema: 'assay.diff/1', before: sides[0], after: sides[1], diff };
}

async function sideOf(lineage: Lineage, { campaign, number }: TrialPlace): Promise<DiffSide> {
  const { owner } = await lineage.campaigns.byName(campaign);
  const { role, status, outcome, snapshot } = await lineage.trials.require(owner, number);
  return { trial: trialWorkflowId(campaign, number), role, status, score: outcome?.score ?? null, snapshot };
}
