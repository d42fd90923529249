import type { CampaignState } from '../statuses.js';

/** What a look at a campaign found that may change its state. */
export interface Sighting {
  /** Why the search has to end, when it has to. */
  end: string | null;
  /** What holds it back, when something does: a person, an exhausted budget, or a fault that does not pass. */
  held: { control: 'paused' | 'blocked'; reason: string } | null;
  /** Whether the budget that paused it leaves room again. */
  goesOn: boolean;
}

/** The state that a sighting calls for, or null while the campaign goes on as it is. */
export function dueState(
  state: CampaignState,
  { end, held, goesOn }: Sighting,
): { state: 'draining' | 'paused' | 'blocked'; reason: string } | { state: 'running'; reason: null } | null {
  if (end !== null && (state === 'running' || state === 'calibrating'))
    return { state: 'draining', reason: end };
  if (goesOn && state === 'paused') return { state: 'running', reason: null };
  return held === null || held.control === state ? null : { state: held.control, reason: held.reason };
}
