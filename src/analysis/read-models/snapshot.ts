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

/** Trials that looks so far have read. */
interface Seen {
  looked: boolean;
  submitted: number;
  start: boolean;
  /** Those that were open. */
  pending: ReadonlySet<number>;
}

/**
 * Looks at a campaign again and again; each look reads what can have changed, not what has ended. A look that failed
 * is as if it had not been: the next one misses nothing.
 */
export class Observer {
  private seen: Seen = { looked: false, submitted: START - 1, start: false, pending: new Set() };
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
    const { trials, seen } = await this.movedTrials(owner, totals.submitted);
    const [decision, counts, budget] = await Promise.all([
      lineage.decisions.frontier(owner),
      lineage.leaderboards.counts(owner, totals.submitted),
      lineage.budgets.get(owner),
    ]);
    const now = new Date();
    const open = openTrials(campaign, trials, now);
    const snapshot = {
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
    this.seen = seen;
    return snapshot;
  }

  private async movedTrials(
    owner: string,
    submitted: number,
  ): Promise<{ trials: TrialDocument[]; seen: Seen }> {
    const { seen } = this;
    const from = seen.looked ? seen.submitted + 1 : Math.max(START, submitted + 1 - NEWEST);
    const fresh = Array.from({ length: Math.max(0, submitted + 1 - from) }, (_, i) => from + i);
    const found = await this.lineage.trials.many(owner, [...new Set([...seen.pending, ...fresh])]);
    const open = found.filter(({ status }) => status === null);
    const start = seen.start || found.some(({ number }) => number === START);
    return {
      trials: seen.looked ? found : open,
      seen: {
        looked: true,
        // the start takes no number, so the totals do not say whether it exists
        submitted: submitted > START || start ? submitted : START - 1,
        start,
        pending: new Set(open.map(({ number }) => number)),
      },
    };
  }

  private async startOf(owner: string): Promise<Pick<Snapshot, 'startScore' | 'startFailure'>> {
    if (this.startScore !== null) return { startScore: this.startScore, startFailure: null };
    const start = await this.lineage.trials.get(owner, START);
    this.startScore = start?.outcome?.score ?? null;
    return { startScore: this.startScore, startFailure: start === null ? null : failureOfTrial(start) };
  }
}
