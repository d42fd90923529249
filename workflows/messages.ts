import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { LimitsAnswer } from '../activities/limits.js';
import type { StopMode } from '../src/domain/campaign/reasons.js';
import type { CampaignState, TrialStatus } from '../src/domain/statuses.js';

/** One line of a leaderboard. */
export interface LeaderboardRow {
  trial: string;
  role: string;
  status: TrialStatus;
  score: number;
  hypothesis: string;
}

/** A small summary, as of the last time the campaign's watch reported. */
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

/** What a lane did before it ended. */
export interface LaneResult {
  lane: string;
  reason: string;
}

/** The end of a trial as its parent needs it; everything else is in the lineage. */
export interface TrialResult {
  number: number;
  /** `parked`: its workflow has ended, and it waits for a person; see {@link resumeTrialUpdate}. */
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
/** To a trial: ends it as cancelled, for the reason given; a plain cancel of its workflow does the same without one. */
export const cancelSignal = defineSignal<[string?]>('cancel');
export const statusQuery = defineQuery<CampaignSummary>('status');
export const leaderboardQuery = defineQuery<LeaderboardRow[]>('leaderboard');
/**
 * Changes limits: `{trials?, submissions?, hours?, hoursWithoutGain?, dollars?, acceleratorSeconds?, by?}`, where null
 * takes one away. Answers when the store has it; the id of the update makes a repeated one the same.
 */
export const limitsUpdate = defineUpdate<LimitsAnswer, [unknown]>('limits');
/** Lets a parked trial, by its number, be worked on again; answers once its workflow is on its way. */
export const resumeTrialUpdate = defineUpdate<number, [number]>('resumeTrial');
/** Ends a parked trial as cancelled, for the reason given. */
export const cancelTrialUpdate = defineUpdate<TrialResult, [{ number: number; reason: string | null }]>(
  'cancelTrial',
);
/** Submits a person's own trial; answers once it has a number and its workflow has started. */
export const submitUpdate = defineUpdate<PersonTrial, [unknown]>('submit');
