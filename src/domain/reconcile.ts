/** How Temporal answers for a workflow id. */
export type WorkflowFact = 'running' | 'closed' | 'missing';

export interface OpenTrialFacts {
  /** The trial's own workflow. */
  trial: WorkflowFact;
  /** The lane that submitted it, which would start a workflow that is still missing. */
  lane: WorkflowFact;
}

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

/** One thing that was found and what was done about it. */
export interface Finding {
  campaign: string;
  what: 'trial' | 'reservation' | 'claim' | 'campaign' | 'folder';
  key: string;
  did: string;
}
