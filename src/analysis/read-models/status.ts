import { textOfReason } from '../../domain/campaign/reasons.js';
import type { Measure } from '../../domain/task/task.js';
import { START, trialLabel } from '../../domain/keys.js';
import type { CampaignState, RunControl } from '../../domain/statuses.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { Fault } from '../../lineage/documents/fault.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { StatusCounts } from '../../lineage/leaderboards.js';
import type { Lineage } from '../../lineage/lineage.js';
import type { ClaimView } from '../statistics/claim-view.js';
import { failureOfTrial } from './trial-failure.js';
import { campaignHeader, isoOrNull } from './campaign-header.js';
import { trialEstimate } from '../statistics/trial-estimate.js';
import type { CalibratedClass } from '../../domain/devices/host-class.js';
import { limitUses } from './limits.js';
import {
  frontierOf,
  lanesOf,
  openTrials,
  type Frontier,
  type LaneView,
  type LimitUse,
  type OpenTrial,
} from './progress.js';
import type { Milestone } from './results-table.js';
import { auditedSpending, type AuditedSpending } from '../statistics/spending.js';
import type { Inspect, StallReason } from '../stall/types.js';
import { shownState, storeAlone, waitedFor } from '../stall/diagnose.js';

/** Attempts that something other than the recipe ended, over the newest trials. */
export interface FaultCount {
  /** Lost workers, full disks, failing evaluators. */
  faults: number;
  /** Attempts that a stop, a pause or a restart of a worker cut short. */
  interrupted: number;
  /** Number of the newest trials that were examined. */
  ofTrials: number;
  last: { what: string; reason: string; host: string; at: string } | null;
}

/** `assay.status/1`. Durations in milliseconds, money in millionths of a dollar. */
export interface StatusModel {
  schema: 'assay.status/1';
  asOf: string;
  campaign: string;
  workflowId: string;
  task: { name: string; digest: string; title: string; profile?: string | undefined };
  model: { id: string; offline: boolean };
  /** From 1, served first, to 5. */
  priority: number;
  metric: Measure;
  /** `waiting` where it could run and nothing of it does. */
  state: CampaignState;
  reason: string | null;
  control: RunControl;
  /** Reasons why nothing moves, or why a part does not; the most important first. */
  stall: StallReason[];
  /** Reason why the server was not asked for them; null: it was. */
  unexamined: string | null;
  createdAt: string;
  endedAt: string | null;
  runningMs: number;
  pausedMs: number;
  /** Classes of hosts that it belongs to; empty before its first result. */
  hostClasses: readonly CalibratedClass[];
  limits: LimitUse[];
  submitted: number;
  counted: number;
  counts: StatusCounts;
  lanes: LaneView[];
  open: OpenTrial[];
  start: Milestone | null;
  /** Failure that kept the start from being measured; null where there was none. */
  startFailure: Failure | null;
  frontier: Frontier | null;
  /** The best measured trial that met every gate. */
  best: Milestone | null;
  /** frontier − start, in the unit of the metric. */
  gain: number | null;
  spending: AuditedSpending;
  infrastructure: FaultCount;
  /** The claim that is or was measured on fresh seeds. */
  claim: ClaimView;
  remark: string;
}

const NEWEST = 200;

/** @throws AssayError CAMPAIGN_UNKNOWN */
export async function statusModel(
  lineage: Lineage,
  name: string,
  examine: Inspect = storeAlone,
): Promise<StatusModel> {
  const now = new Date();
  const { campaign, metric, claim, remark } = await campaignHeader(lineage, name);
  const { owner, frozen } = campaign;
  const totals = await lineage.trials.totals(owner);
  const [newest, start, began, decision, best, counts, budget, sums] = await Promise.all([
    lineage.trials.latest(owner, NEWEST),
    lineage.trials.get(owner, START),
    lineage.decisions.of(owner, START),
    lineage.decisions.frontier(owner),
    lineage.leaderboards.best(owner),
    lineage.leaderboards.counts(owner, totals.submitted),
    lineage.budgets.get(owner),
    lineage.budgets.sums(owner),
  ]);
  const open = openTrials(campaign, newest, now);
  const stallReport = await examine(campaign, open);
  const state = shownState(campaign.state, stallReport);
  const frontier = await frontierOf(lineage, decision);
  const startScore = start?.outcome?.score ?? null;
  const spending = auditedSpending(budget, sums);
  const [first] = best;
  return {
    schema: 'assay.status/1',
    asOf: now.toISOString(),
    campaign: name,
    workflowId: name,
    task: frozen.task,
    model: frozen.model,
    priority: frozen.priority,
    metric,
    state,
    reason: state === 'waiting' ? waitedFor(stallReport) : textOfReason(campaign.reason),
    control: campaign.control,
    stall: stallReport.reasons,
    unexamined: stallReport.unexamined,
    createdAt: campaign.createdAt.toISOString(),
    endedAt: isoOrNull(campaign.endedAt),
    runningMs: campaign.elapsed.ranMs,
    pausedMs: campaign.elapsed.stillMs,
    hostClasses: campaign.hostClasses,
    limits: limitUses(campaign, budget.limits, totals, spending),
    ...totals,
    counts,
    lanes: lanesOf(campaign, open),
    open,
    start:
      start === null
        ? null
        : {
            number: START,
            label: trialLabel(START),
            score: startScore,
            estimate: await trialEstimate(lineage, began),
          },
    startFailure: start === null ? null : failureOfTrial(start),
    frontier,
    best:
      first === undefined
        ? null
        : {
            number: first.trial,
            label: trialLabel(first.trial),
            score: first.score,
            estimate: await trialEstimate(lineage, await lineage.decisions.of(owner, first.trial)),
          },
    gain: frontier?.score == null || startScore === null ? null : frontier.score - startScore,
    spending,
    infrastructure: await faultCount(lineage, newest),
    claim,
    remark,
  };
}

/** Returns true when a person, or a worker that was told to end, asked for the end of the attempt. */
export function wasInterrupted({ reason }: Pick<Fault, 'reason'>): boolean {
  return reason === 'cancelled';
}

async function faultCount(lineage: Lineage, newest: readonly TrialDocument[]): Promise<FaultCount> {
  const replicates = await lineage.replicates.many([...new Set(newest.flatMap((trial) => trial.replicates))]);
  const all = replicates.flatMap(({ faults }) => faults);
  const faults = all.filter((fault) => !wasInterrupted(fault));
  const last = [...faults].sort((a, b) => b.at.getTime() - a.at.getTime())[0];
  return {
    faults: faults.length,
    interrupted: all.length - faults.length,
    ofTrials: newest.length,
    last:
      last === undefined
        ? null
        : { what: last.what, reason: last.reason, host: last.host, at: last.at.toISOString() },
  };
}
