import { textOfReason } from '../../domain/campaign/reasons.js';
import type { Measure } from '../../domain/task/task.js';
import { START } from '../../domain/keys.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { CampaignState } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { StatusCounts } from '../../lineage/leaderboards.js';
import type { Lineage } from '../../lineage/lineage.js';
import { campaignHeader, type CampaignHeader } from './campaign-header.js';
import { failureOfTrial } from './trial-failure.js';
import { trialSummaries, type TrialSummary } from './trial-summary.js';
import { frontierOf, lanesOf, openTrials, type Frontier, type LaneView, type OpenTrial } from './progress.js';
import { spendingOf, type Spending } from '../statistics/spending.js';

/** State of a campaign at one moment. */
export interface Snapshot {
  asOf: Date;
  campaign: CampaignDocument;
  state: CampaignState;
  reason: string | null;
  metric: Measure;
  runningMs: number;
  submitted: number;
  counted: number;
  trialsLimit: number;
  startScore: number | null;
  /** Failure that kept the start from being measured; null where there was none. */
  startFailure: Failure | null;
  frontier: Frontier | null;
  counts: StatusCounts;
  lanes: LaneView[];
  open: OpenTrial[];
  /** The trials that were open in the snapshot before, or are new since then, ascending. */
  moved: TrialSummary[];
  spending: Spending;
}

const NEWEST = 200;

/** Looks at a campaign again and again; each look reads what can have changed, not what has ended. */
export class Observer {
  private looked = false;
  private seen = START - 1;
  private startSeen = false;
  private pending = new Set<number>();
  private head: CampaignHeader | null = null;
  private startScore: number | null = null;

  constructor(
    private readonly lineage: Lineage,
    private readonly name: string,
  ) {}

  /** @throws AssayError CAMPAIGN_UNKNOWN */
  async look(): Promise<Snapshot> {
    const { lineage } = this;
    this.head ??= await campaignHeader(lineage, this.name);
    const { metric } = this.head;
    // the state is read before the trials: at its end, nothing that happened before is missed
    const campaign = await lineage.campaigns.byName(this.name);
    const { owner } = campaign;
    const totals = await lineage.trials.totals(owner);
    const trials = await this.movedTrials(owner, totals.submitted);
    const [decision, counts, budget] = await Promise.all([
      lineage.decisions.frontier(owner),
      lineage.leaderboards.counts(owner, totals.submitted),
      lineage.budgets.get(owner),
    ]);
    const now = new Date();
    const open = openTrials(campaign, trials, now);
    return {
      asOf: now,
      campaign,
      state: campaign.state,
      reason: textOfReason(campaign.reason),
      metric,
      runningMs: campaign.elapsed.ranMs,
      ...totals,
      trialsLimit: budget.limits.trials,
      ...(await this.startOf(owner)),
      frontier: await frontierOf(lineage, decision),
      counts,
      lanes: lanesOf(campaign, open),
      open,
      moved: await trialSummaries(lineage, owner, trials, now),
      spending: spendingOf(budget),
    };
  }

  private async movedTrials(owner: string, submitted: number): Promise<TrialDocument[]> {
    const from = this.looked ? this.seen + 1 : Math.max(START, submitted + 1 - NEWEST);
    const fresh = Array.from({ length: Math.max(0, submitted + 1 - from) }, (_, i) => from + i);
    const found = await this.lineage.trials.many(owner, [...new Set([...this.pending, ...fresh])]);
    this.startSeen ||= found.some(({ number }) => number === START);
    const ofInterest = this.looked ? found : found.filter(({ status }) => status === null);
    // the start takes no number, so the totals do not say whether it exists
    this.seen = submitted > START || this.startSeen ? submitted : START - 1;
    this.pending = new Set(found.filter(({ status }) => status === null).map(({ number }) => number));
    this.looked = true;
    return ofInterest;
  }

  private async startOf(owner: string): Promise<Pick<Snapshot, 'startScore' | 'startFailure'>> {
    if (this.startScore !== null) return { startScore: this.startScore, startFailure: null };
    const start = await this.lineage.trials.get(owner, START);
    this.startScore = start?.outcome?.score ?? null;
    return { startScore: this.startScore, startFailure: start === null ? null : failureOfTrial(start) };
  }
}
