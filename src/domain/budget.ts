import type { FrozenCampaign } from './campaign.js';
import { isHeld, type Control } from './statuses.js';

/** Whether a campaign under this control can still be ended by a limit. */
export function isUnended(control: Control): boolean {
  return control === 'running' || isHeld(control);
}

export interface Progress {
  submitted: number;
  counted: number;
  /** Milliseconds since the campaign began, recorded pauses left out. */
  runningMs: number;
  /** Milliseconds since the frontier last moved. */
  sinceGainMs: number;
}

const HOUR_MS = 3_600_000;

/** The first limit that ends the search, in the words that people read, or null. */
export function reachedLimit(limits: FrozenCampaign['limits'], progress: Progress): string | null {
  const { submitted, counted, runningMs, sinceGainMs } = progress;
  if (counted >= limits.trials) return `trials (${counted} of ${limits.trials})`;
  if (submitted >= limits.submissions) return `submissions (${submitted} of ${limits.submissions})`;
  if (limits.hours !== null && runningMs >= limits.hours * HOUR_MS) return `hours (${limits.hours})`;
  if (limits.hoursWithoutGain !== null && sinceGainMs >= limits.hoursWithoutGain * HOUR_MS)
    return `no gain in ${limits.hoursWithoutGain} hours`;
  return null;
}
