import type { DecisionDocument } from '../../lineage/documents/decision.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { LimitName } from '../../domain/money/budget.js';
import { fieldOf, trialLabel } from '../../domain/keys.js';
import type { TrialStage } from '../../domain/statuses.js';
import type { Lineage } from '../../lineage/lineage.js';
import { trialEstimate } from '../statistics/trial-estimate.js';
import type { Milestone } from './results-table.js';

/** A limit of a campaign and how much of it is used, in the same unit. */
export interface LimitUse {
  limit: LimitName;
  used: number;
  /** null: no limit. */
  allowed: number | null;
  unit: 'trials' | 'submissions' | 'h' | 'USD' | 's';
  /** Effect of reaching it. */
  then: 'ends' | 'pauses';
}

/** A trial that has no status yet. */
export interface OpenTrial {
  trial: string;
  number: number;
  role: string;
  lane: string;
  stage: TrialStage;
  /** Reason why it waits for a person; null where it does not. */
  parked: string | null;
  /** The machine that works on it; null while none does. */
  host: string | null;
  /** Since when it is in its stage. */
  since: string;
  elapsedMs: number;
  hypothesis: string;
}

export interface LaneView {
  lane: string;
  role: string;
  /** The trials of it that have not ended; none means that its session thinks. */
  trials: string[];
}

export function openTrials(
  campaign: CampaignDocument,
  trials: readonly TrialDocument[],
  now: Date,
): OpenTrial[] {
  return trials
    .filter((trial) => trial.status === null)
    .sort((a, b) => a.number - b.number)
    .map((trial) => {
      const work = trial.replicates
        .map((key) => campaign.active[fieldOf(key)])
        .find((each) => each !== undefined);
      return {
        trial: trialLabel(trial.number),
        number: trial.number,
        role: trial.role,
        lane: trial.lane,
        stage: trial.stage,
        parked: trial.parked?.reason ?? null,
        host: work?.host ?? null,
        since: trial.stageAt.toISOString(),
        elapsedMs: Math.max(0, now.getTime() - trial.stageAt.getTime()),
        hypothesis: trial.hypothesis,
      };
    });
}

export function lanesOf(campaign: CampaignDocument, open: readonly OpenTrial[]): LaneView[] {
  return campaign.frozen.lanes.map(({ lane, role }) => ({
    lane,
    role,
    trials: open.filter((trial) => trial.lane === lane).map(({ trial }) => trial),
  }));
}

/** The frontier with its place in the chain of adoptions; null before the start was measured. */
export type Frontier = Milestone & { version: number; since: string };

export async function frontierOf(
  lineage: Lineage,
  decision: DecisionDocument | null,
): Promise<Frontier | null> {
  if (decision === null) return null;
  return {
    number: decision.trial,
    label: trialLabel(decision.trial),
    score: decision.inputs.score,
    estimate: await trialEstimate(lineage, decision),
    version: decision.frontier.version,
    since: decision.at.toISOString(),
  };
}
