import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { LimitsAnswer } from '../activities/limits.js';
import type { StopMode } from '../src/domain/campaign/reasons.js';
import type { CampaignState, TrialStatus } from '../src/domain/statuses.js';

/** Row of a leaderboard. */
export interface LeaderboardRow {
  trial: string;
  role: string;
  status: TrialStatus;
  score: number;
  hypothesis: string;
}

/** Short summary, as of the watch's last report. */
export interface CampaignSummary {
  campaign: string;
  state: CampaignState;
  reason: string | null;
  asOf: string | null;
  submitted: number;
  counted: number;
  ended: number;
  frontier: string | null;
  bestScore: number | null;
  startScore: number | null;
}

/** Result of a lane. */
export interface LaneResult {
  lane: string;
  reason: string;
}

/** Result of a trial for its parent; the rest is in the lineage. */
export interface TrialResult {
  number: number;
  /** `parked`: its workflow has ended and a person has to decide; see {@link resumeTrialUpdate}. */
  status: TrialStatus | 'parked';
  score: number | null;
}

export interface PersonTrial {
  number: number | null;
  refused: string | null;
}

export const pauseSignal = defineSignal<[string?]>('pause');
export const resumeSignal = defineSignal('resume');
export const stopSignal = defineSignal<[(StopMode | { mode?: StopMode })?]>('stop');
/**
 * Signal to a trial: ends it as cancelled for the given reason; a plain cancel of its workflow does the same without
 * a reason.
 */
export const cancelSignal = defineSignal<[string?]>('cancel');
/** Signal to a trial: the session that submitted it takes it back. */
export const withdrawSignal = defineSignal('withdraw');
export const statusQuery = defineQuery<CampaignSummary>('status');
export const leaderboardQuery = defineQuery<LeaderboardRow[]>('leaderboard');
/**
 * Changes limits: `{trials?, submissions?, hours?, hoursWithoutGain?, dollars?, acceleratorSeconds?, by?}`, where
 * null removes a limit. Answers when the change is stored; a repeated update with the same id is applied once.
 */
export const limitsUpdate = defineUpdate<LimitsAnswer, [unknown]>('limits');
/** Resumes a parked trial by its number; answers once its workflow has started. */
export const resumeTrialUpdate = defineUpdate<number, [number]>('resumeTrial');
/** Ends a parked trial as cancelled, for the given reason. */
export const cancelTrialUpdate = defineUpdate<TrialResult, [{ number: number; reason: string | null }]>(
  'cancelTrial',
);
/** Submits a person's own trial; answers once it has a number and its workflow has started. */
export const submitUpdate = defineUpdate<PersonTrial, [unknown]>('submit');
