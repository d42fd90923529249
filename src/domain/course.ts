import type { CampaignState } from './statuses.js';

/** What a look at a campaign found that may change its state. */
export interface Sighting {
  /** Why the search has to end, when it has to. */
  end: string | null;
  /** What holds it back, when something does: a person, an exhausted budget, or a fault that does not pass. */
  held: { control: 'paused' | 'blocked'; reason: string } | null;
}

/** The state that a sighting calls for, or null while the campaign goes on as it is. */
export function dueState(
  state: CampaignState,
  { end, held }: Sighting,
): { state: 'draining' | 'paused' | 'blocked'; reason: string } | null {
  if (end !== null && (state === 'running' || state === 'calibrating'))
    return { state: 'draining', reason: end };
  return held === null || held.control === state ? null : { state: held.control, reason: held.reason };
}
