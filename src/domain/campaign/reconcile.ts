/** State of a workflow id on the Temporal server. */
export type WorkflowFact = 'running' | 'closed' | 'missing';

export interface OpenTrialFacts {
  /** The trial's own workflow. */
  trial: WorkflowFact;
  /** Workflow that would start a missing one, see {@link starterOf}. */
  lane: WorkflowFact;
}

/** Stored fields of an open trial that say which workflow leads it. */
interface OpenTrial {
  session: string | null;
  lane: string;
  /** Set while the trial waits for a person. */
  parked: object | null;
}

/**
 * Returns the workflow that starts a trial's: the campaign for the start, a person's trial and a parked one; the lane
 * for all others.
 */
export const starterOf = ({ session, lane, parked }: OpenTrial, campaign: string): string =>
  session === null || parked !== null ? campaign : `${campaign}/${lane}`;

/**
 * Returns the state of a trial's workflow; that of a parked trial has ended and will be started again, so it counts
 * as missing.
 */
export const ownFact = ({ parked }: Pick<OpenTrial, 'parked'>, fact: WorkflowFact): WorkflowFact =>
  parked !== null && fact === 'closed' ? 'missing' : fact;

/**
 * Returns true when a trial without a status has to be settled from the store: its workflow does not run, and no
 * running lane can still start it.
 */
export function settlesTrial({ trial, lane }: OpenTrialFacts): boolean {
  if (trial === 'running') return false;
  return trial === 'closed' || lane !== 'running';
}

/** Returns true when the process that made an open reservation can no longer settle it. */
export function settlesReservation(facts: { campaign: WorkflowFact; trialEnded: boolean }): boolean {
  return facts.campaign !== 'running' || facts.trialEnded;
}

/** Running workflow of a lane or a trial, with what the store knows of it. */
export interface RunningFacts {
  type: 'specialist' | 'trial';
  /** `unknown`: the store has no such campaign of this server. */
  campaign: 'unknown' | 'running' | 'ended';
  /** `none`: the store has no such trial; a lane has none. */
  trial: 'none' | 'open' | 'ended';
}

/**
 * Decides on a running workflow. None may outlive its campaign: a lane, and a trial with a status, have nothing left
 * to lose; an open trial is cancelled, which ends its process before it gets a status. Workflows of another store are
 * left alone, and a person judges what the store has lost.
 */
export function dealsWithRunning({
  type,
  campaign,
  trial,
}: RunningFacts): 'leave' | 'report' | 'cancel' | 'terminate' {
  if (campaign === 'unknown') return 'report';
  if (campaign === 'running') return type === 'trial' && trial === 'none' ? 'report' : 'leave';
  return type === 'trial' && trial === 'open' ? 'cancel' : 'terminate';
}

/** One finding of reconcile, and what was done about it. */
export interface Finding {
  /** `-` if it belongs to no campaign of this store and server. */
  campaign: string;
  what: 'trial' | 'reservation' | 'claim' | 'campaign' | 'workflow';
  key: string;
  did: string;
}
