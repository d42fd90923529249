import { z } from 'zod';
import { TRIAL_STATUSES } from './trial/trial-statuses.js';

export { TRIAL_STATUSES };
export const trialStatusSchema = z.enum(TRIAL_STATUSES);
export type TrialStatus = z.infer<typeof trialStatusSchema>;

/** Stages of a trial that has no status yet. */
export const TRIAL_STAGES = [
  'queued',
  'preparing',
  'training',
  'packing',
  'evaluating',
  'deciding',
  /** It waits for a person: nothing works on it. */
  'parked',
  'ended',
] as const;
export const trialStageSchema = z.enum(TRIAL_STAGES);
export type TrialStage = z.infer<typeof trialStageSchema>;

export const CAMPAIGN_STATES = [
  'preparing',
  'calibrating',
  'running',
  'paused',
  'waiting',
  'draining',
  'claiming',
  'blocked',
  'finished',
  'stopped',
  'failed',
] as const;
export const campaignStateSchema = z.enum(CAMPAIGN_STATES);
export type CampaignState = z.infer<typeof campaignStateSchema>;

/** States in which nothing of the campaign will move again. */
export function isEnded(state: CampaignState): boolean {
  return state === 'finished' || state === 'stopped' || state === 'failed';
}

/** States in which nothing moves by itself: it has ended, or a person has to fix something and resume it. */
export function needsPerson(state: CampaignState): boolean {
  return isEnded(state) || state === 'blocked';
}

/** Controls that running work has to obey; changed by people and by limits, read before any work starts. */
export const CONTROLS = ['running', 'paused', 'blocked', 'draining', 'stopping'] as const;
export const controlSchema = z.enum(CONTROLS);
export type RunControl = z.infer<typeof controlSchema>;

/**
 * Controls under which nothing begins until a person says so: `paused` by a person or an exhausted budget, `blocked`
 * by a fault that came again and again.
 */
export function isHeld(control: RunControl): boolean {
  return control === 'paused' || control === 'blocked';
}
