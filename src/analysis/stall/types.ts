import { trialLabel } from '../../domain/keys.js';
import type { Reason } from '../../domain/campaign/reasons.js';
import type { CampaignState, RunControl } from '../../domain/statuses.js';
import type { CampaignDocument } from '../../lineage/documents/campaign.js';
import type { OpenTrial } from '../read-models/progress.js';

/** Facts about a campaign at one moment that bear on why it does not move. */
export interface StallFacts {
  /** By the server's clock as nearly as it can be told. */
  now: Date;
  campaign: StallCampaign;
  /** Work of other campaigns on hosts of the same pool. */
  elsewhere: { campaign: string; what: string; host: string }[];
  /** Hosts of the pool that take no work because they found themselves unfit. */
  hosts: { host: string; why: string; since: Date }[];
  /** null: the server could not be looked at. */
  server: ServerFacts | null;
}

export interface StallCampaign {
  name: string;
  state: CampaignState;
  control: RunControl;
  /** Why work may not start. */
  controlReason: Reason | null;
  /** True while an exhausted budget, and no person, pauses it. */
  exhausted: boolean;
  pausedSince: Date | null;
  /** null before the campaign was frozen. */
  pool: string | null;
  /** Slots that each of its trainings takes; null where that was not frozen. */
  slots: number | null;
  /** Accelerators that a check and an evaluation of it take; 0: they need no lease. */
  gpus: { prepare: number; evaluate: number };
  /** Work that was allowed to start and has not ended. */
  active: { trial: string; what: string; host: string }[];
  /** Trials without a status; `parked`: why one waits for a person, else null. */
  open: { trial: string; submittedAt: Date; parked: string | null }[];
}

/** The server's account of a campaign's workflows and of the queues that they use. */
export interface ServerFacts {
  workflows: WorkflowFacts[];
  queues: QueueFacts[];
  /** Workflows that were left out to bound the cost of a look. */
  leftOut: number;
}

export interface WorkflowFacts {
  id: string;
  /** Name for people: a trial, a lane, or the campaign. */
  label: string;
  kind: 'campaign' | 'lane' | 'trial';
  /** `missing`: the server does not know it. */
  status: 'running' | 'ended' | 'missing';
  /** A word for how it ended; empty unless it did. */
  ending: string;
  activities: PendingActivity[];
  /** A step of the workflow itself that waits or runs. */
  step: { state: 'scheduled' | 'started'; since: Date; attempt: number } | null;
}

/** An activity that has been asked for and has no result yet. */
export interface PendingActivity {
  type: string;
  queue: string;
  state: 'scheduled' | 'started' | 'cancelling' | 'paused';
  /** From 1; the attempt that runs or comes next. */
  attempt: number;
  /** Failure of the attempt before. */
  failure: ActivityFault | null;
  /** Time of the next attempt; null unless it waits for that moment. */
  nextAttemptAt: Date | null;
  /** Time at which the attempt before failed. */
  failedAt: Date | null;
  scheduledAt: Date | null;
  startedAt: Date | null;
  heartbeatAt: Date | null;
  /** null: it need not say that it is alive. */
  heartbeatTimeoutMs: number | null;
  startToCloseMs: number | null;
  /** The identity of the worker that has or had it. */
  worker: string;
  /** Its own account, from its heartbeat, of what it is doing. */
  doing: string | null;
}

export interface ActivityFault {
  /** A code of the error registry, `TIMEOUT` for one the server noticed, or another word. */
  type: string;
  message: string;
}

export interface QueueFacts {
  queue: string;
  kind: 'workflow' | 'activity';
  /** Workers that asked for work in the last minutes. One that is busy, or waits for an answer, does not ask. */
  pollers: { worker: string; at: Date }[];
}

/** In the order of their weight. From `no_workflow` on, a campaign that could run is said to wait for them. */
export const REASON_KINDS = [
  'blocked',
  'paused',
  'budget',
  'stopping',
  'parked',
  'no_workflow',
  'host_unhealthy',
  'no_worker',
  'lost_worker',
  'retrying',
  'provider',
  'lease',
  'exclusive',
] as const;

/** One reason why something of a campaign does not move. */
export interface StallReason {
  what: (typeof REASON_KINDS)[number];
  /** Stays the same while the reason does, though its text counts seconds. */
  id: string;
  text: string;
  /** The trials and lanes that wait for it; empty when it is the campaign that does. */
  about: string[];
  /** Since when, as far as it is known; ISO 8601. */
  since: string | null;
  /** Remedy; null when it ends by itself. */
  remedy: string | null;
}

/** Answer to why a campaign does not move, as far as it does not. */
export interface StallReport {
  /** The most important first. */
  reasons: StallReason[];
  /** True while some work of it continues; null when that could not be found out. */
  moves: boolean | null;
}

/** Stall report with what could not be examined. */
export interface InspectedStall extends StallReport {
  /** Reason why the server's queues and pending work are not part of it; null: they are. */
  unexamined: string | null;
}

/** Looks at a campaign and at the server that runs it. */
export type Inspect = (campaign: CampaignDocument, open: readonly OpenTrial[]) => Promise<InspectedStall>;

/** Collects what the store knows of it. */
export function stallCampaign(campaign: CampaignDocument, open: readonly OpenTrial[]): StallCampaign {
  const { _id: name, state, control, controlReason, exhausted, pausedSince, frozen, active } = campaign;
  return {
    name,
    state,
    control,
    controlReason,
    exhausted: exhausted !== null,
    pausedSince,
    pool: frozen.pool,
    slots: frozen.slots,
    gpus: frozen.gpus,
    active: Object.values(active).map(({ trial, what, host }) => ({ trial: trialLabel(trial), what, host })),
    open: open.map(({ trial, since, parked }) => ({ trial, submittedAt: new Date(since), parked })),
  };
}
