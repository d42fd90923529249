/** How Temporal answers for a workflow id. */
export type WorkflowFact = 'running' | 'closed' | 'missing';

export interface OpenTrialFacts {
  /** The trial's own workflow. */
  trial: WorkflowFact;
  /** Whoever would start a workflow that is still missing, see {@link starterOf}. */
  lane: WorkflowFact;
}

/** What is stored of an open trial that says who leads it. */
interface OpenTrial {
  session: string | null;
  lane: string;
  /** Set while it waits for a person. */
  parked: object | null;
}

/**
 * The workflow that starts a trial's: the campaign itself for the start, a person's trial and one that a person has to
 * resume, its lane for every other one.
 */
export const starterOf = ({ session, lane, parked }: OpenTrial, campaign: string): string =>
  session === null || parked !== null ? campaign : `${campaign}/${lane}`;

/** Of a trial's workflow: that of a parked one has ended and is to be started again, as if it were missing. */
export const ownFact = ({ parked }: Pick<OpenTrial, 'parked'>, fact: WorkflowFact): WorkflowFact =>
  parked !== null && fact === 'closed' ? 'missing' : fact;

/**
 * What to do with a stored trial that has no status. One whose workflow runs, or whose lane can still start it, is
 * somebody's work; for every other one nobody is left, so it is decided from what is stored.
 */
export function settlesTrial({ trial, lane }: OpenTrialFacts): boolean {
  if (trial === 'running') return false;
  return trial === 'closed' || lane !== 'running';
}

/** Whether an open reservation can still be settled by whoever made it. */
export function settlesReservation(facts: { campaign: WorkflowFact; trialEnded: boolean }): boolean {
  return facts.campaign !== 'running' || facts.trialEnded;
}

/** A lane's or trial's workflow that runs, and what the store knows of it. */
export interface RunningFacts {
  type: 'specialist' | 'trial';
  /** `unknown`: the store has no such campaign. */
  campaign: 'unknown' | 'running' | 'ended';
  /** `none`: the store has no such trial; a lane has none. */
  trial: 'none' | 'open' | 'ended';
}

/**
 * What to do with a running workflow. Nothing may run of a campaign that has ended: a lane has nothing left to lose,
 * nor has a trial with a status; an open trial is cancelled, which ends its process before it gets a status. What
 * belongs to another store is none of our business, and what the store has lost is for a person to judge.
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

/** One thing that was found and what was done about it. */
export interface Finding {
  /** `-` for what belongs to no campaign of this store. */
  campaign: string;
  what: 'trial' | 'reservation' | 'claim' | 'campaign' | 'workflow';
  key: string;
  did: string;
}
