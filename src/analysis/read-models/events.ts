import type { Estimate } from '../../domain/decision/claim/estimate.js';
import { isEnded, type CampaignState, type TrialStage, type TrialStatus } from '../../domain/statuses.js';
import type { Failure } from '../../domain/trial/outcome.js';
import type { TrialSummary } from './trial-summary.js';
import type { Snapshot } from './snapshot.js';
import type { StallReason } from '../stall/types.js';

/** Event between two looks at a campaign; a line each in plain output and in NDJSON. */
export type CampaignEvent =
  | { event: 'state'; state: CampaignState; reason: string | null }
  | {
      event: 'submitted';
      trial: string;
      role: string;
      lane: string;
      parent: string | null;
      hypothesis: string;
    }
  | { event: 'stage'; trial: string; role: string; stage: TrialStage; host: string | null }
  /** It waits for a person: `assay resume` or `assay cancel` with its id. */
  | { event: 'parked'; trial: string; role: string; reason: string }
  | {
      event: 'ended';
      trial: string;
      role: string;
      status: TrialStatus;
      score: number | null;
      delta: number | null;
      lesson: string;
      elapsedMs: number;
    }
  | {
      event: 'adopted';
      trial: string;
      score: number | null;
      /** The best estimate of its true score. */
      estimate: Estimate | null;
      gain: number | null;
    }
  /** The reasons why something does not move are others than before; none: they are over. */
  | { event: 'stall'; moves: boolean | null; reasons: StallReason[] }
  | {
      event: 'done';
      state: CampaignState;
      reason: string | null;
      frontier: string | null;
      score: number | null;
      estimate: Estimate | null;
      gain: number | null;
      /** Failure of the start that ended it; else null. */
      startFailure: Failure | null;
    };

/** `assay.event/1`, one JSON object a line. */
export type EventLine = { schema: 'assay.event/1'; at: string; campaign: string } & CampaignEvent;

/** Lists what changed from one snapshot to the next, in the order in which a person would tell it. */
export function eventsBetween(before: Snapshot | null, after: Snapshot): CampaignEvent[] {
  const events: CampaignEvent[] = [];
  const { state, reason } = after;
  const stateChanged = before?.state !== state || before.reason !== reason;
  if (stateChanged && !isEnded(state)) events.push({ event: 'state', state, reason });
  const known = new Map((before?.moved ?? []).map((line) => [line.number, line]));
  for (const line of after.moved)
    events.push(...trialEvents(known.get(line.number), line, hostOf(after, line)));
  const { frontier } = after;
  if (before !== null && frontier !== null && frontier.version !== (before.frontier?.version ?? 0))
    events.push({
      event: 'adopted',
      trial: frontier.label,
      score: frontier.score,
      estimate: frontier.estimate,
      gain: gainOf(after),
    });
  if (stateChanged && isEnded(state))
    events.push({
      event: 'done',
      state,
      reason,
      frontier: after.frontier?.label ?? null,
      score: after.frontier?.score ?? null,
      estimate: after.frontier?.estimate ?? null,
      gain: gainOf(after),
      startFailure: state === 'failed' ? after.startFailure : null,
    });
  return events;
}

/** frontier − start, in the unit of the metric. */
export function gainOf({ frontier, startScore }: Pick<Snapshot, 'frontier' | 'startScore'>): number | null {
  return frontier?.score == null || startScore === null ? null : frontier.score - startScore;
}

function hostOf({ open }: Snapshot, { number }: TrialSummary): string | null {
  return open.find((trial) => trial.number === number)?.host ?? null;
}

function trialEvents(
  before: TrialSummary | undefined,
  line: TrialSummary,
  host: string | null,
): CampaignEvent[] {
  const { trial, role, lane, parent, hypothesis, stage, status } = line;
  const events: CampaignEvent[] = [];
  if (before === undefined) events.push({ event: 'submitted', trial, role, lane, parent, hypothesis });
  if (status === null && stage === 'parked') {
    if (before?.stage !== stage) events.push({ event: 'parked', trial, role, reason: line.lesson });
  } else if (status === null && stage !== 'queued' && before?.stage !== stage)
    events.push({ event: 'stage', trial, role, stage, host });
  if (status !== null && before?.status !== status)
    events.push({
      event: 'ended',
      trial,
      role,
      status,
      score: line.score,
      delta: line.delta,
      lesson: line.lesson,
      elapsedMs: line.elapsedMs,
    });
  return events;
}
