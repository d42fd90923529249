import type { Measure } from '../../domain/task/task.js';
import { trialLabel } from '../../domain/keys.js';
import type { TrialStage, TrialStatus } from '../../domain/statuses.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader, labelOrNull } from './campaign-header.js';

/** A trial in the tree of parents. */
export interface TreeTrial {
  trial: string;
  number: number;
  parent: string | null;
  role: string;
  /** null while it runs; then `stage` says where it is. */
  status: TrialStatus | null;
  stage: TrialStage;
  score: number | null;
  /** score − parent's score; null where either is missing. */
  delta: number | null;
  hypothesis: string;
  /** True for what the search has built on: the start, and every trial that was adopted. */
  adopted: boolean;
}

/** `assay.tree/1`. */
export interface TreeModel {
  schema: 'assay.tree/1';
  campaign: string;
  metric: Measure;
  /** All of them, oldest first; the first is the start. */
  trials: readonly TreeTrial[];
  remark: string;
}

const PAGE = 500;

/**
 * All trials of a campaign with their parents.
 * @throws AssayError CAMPAIGN_UNKNOWN
 */
export async function treeModel(lineage: Lineage, name: string): Promise<TreeModel> {
  const { campaign, metric, remark } = await campaignHeader(lineage, name);
  const documents = await allTrials(lineage, campaign.owner);
  const scores = new Map(documents.map(({ number, outcome }) => [number, outcome?.score ?? null]));
  const trials = documents.map((trial) => treeTrial(trial, scores.get(trial.parent ?? -1) ?? null));
  return { schema: 'assay.tree/1', campaign: name, metric, trials, remark };
}

/** Oldest first. */
async function allTrials(lineage: Lineage, owner: string): Promise<TrialDocument[]> {
  const found: TrialDocument[] = [];
  for (let below: number | undefined; ; below = found.at(-1)?.number) {
    const page = await lineage.trials.latest(owner, PAGE, below);
    found.push(...page);
    if (page.length < PAGE) return found.reverse();
  }
}

function treeTrial(trial: TrialDocument, parentScore: number | null): TreeTrial {
  const { number, role, status, stage, outcome, hypothesis } = trial;
  const score = outcome?.score ?? null;
  return {
    trial: trialLabel(number),
    number,
    parent: labelOrNull(trial.parent),
    role,
    status,
    stage,
    score,
    delta: score === null || parentScore === null ? null : score - parentScore,
    hypothesis,
    adopted: trial.parent === null || status === 'keep',
  };
}

/** A trial with what was proposed on top of it, in the order of their numbers. */
export interface TreeNode extends TreeTrial {
  children: TreeNode[];
}

/**
 * Hangs each trial below its parent, and below the first where its parent is not among them; null where there is none.
 */
export function growTree(trials: readonly TreeTrial[]): TreeNode | null {
  const nodes = new Map(trials.map((trial): [string, TreeNode] => [trial.trial, { ...trial, children: [] }]));
  const [root] = nodes.values();
  if (root === undefined) return null;
  for (const node of nodes.values())
    if (node !== root) (nodes.get(node.parent ?? '') ?? root).children.push(node);
  return root;
}
