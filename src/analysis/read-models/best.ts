import { AssayError } from '../../domain/errors.js';
import { START, trialWorkflowId } from '../../domain/keys.js';
import type { Task } from '../../domain/task/task.js';
import type { StoredFile } from '../../lineage/documents/snapshot.js';
import { treeDiff } from '../../lineage/blob-store/tree-diff.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader } from './campaign-header.js';
import { storedArtifacts, type StoredArtifact } from './stored-artifact.js';
import { trialRecord, type TrialRecord } from './trial-record.js';

/** The recipe that a campaign adopted last, with everything that a person needs to use it. */
export interface BestModel {
  trial: string;
  task: Task;
  record: TrialRecord;
  startScore: number | null;
  /** Unified diff against the start; empty where the start is still the best. */
  diffToStart: string;
  /** Files of its recipe. */
  recipe: StoredFile[];
  artifact: StoredArtifact | null;
  /** The campaign's claim, in one sentence. */
  remark: string;
}

/** @throws AssayError CAMPAIGN_UNKNOWN; TRIAL_UNKNOWN while not even the start is measured */
export async function bestModel(lineage: Lineage, name: string): Promise<BestModel> {
  const { campaign, spec, remark } = await campaignHeader(lineage, name);
  const adopted = await lineage.decisions.frontier(campaign.owner);
  if (adopted === null)
    throw new AssayError('TRIAL_UNKNOWN', `campaign "${name}" has nothing measured to be the best`, {
      remedy: `\`assay status ${name}\` says what it does, or why it ended.`,
    });
  const [start, trial] = await Promise.all([
    lineage.trials.require(campaign.owner, START),
    lineage.trials.require(campaign.owner, adopted.trial),
  ]);
  const [record, { diff }, artifacts] = await Promise.all([
    trialRecord(lineage, name, adopted.trial),
    treeDiff(lineage.blobs, start.snapshot, trial.snapshot),
    storedArtifacts(lineage, trial),
  ]);
  return {
    trial: trialWorkflowId(name, adopted.trial),
    task: spec,
    record,
    startScore: start.outcome?.score ?? null,
    diffToStart: diff,
    recipe: await lineage.blobs.tree(trial.snapshot),
    artifact: artifacts[0] ?? null,
    remark,
  };
}
