import { z } from 'zod';
import { isWeaker, type TierName } from '../task/isolation.js';

/** Choices of a campaign for commands of agents; `auto`: on where hosts isolate them. */
export const WORKBENCH_CHOICES = ['auto', 'on', 'off'] as const;
export const workbenchChoiceSchema = z.enum(WORKBENCH_CHOICES);
export type WorkbenchChoice = z.infer<typeof workbenchChoiceSchema>;

/** Commands of agents in a frozen campaign; `isolated`: on hosts that isolate them, and on no other. */
export const workbenchSchema = z.enum(['on', 'isolated', 'off']);
export type Workbench = z.infer<typeof workbenchSchema>;

/** Weakest tier at which a command reaches neither the network nor files that it was not given. */
const WEAKEST: TierName = 'C';

/**
 * Decides whether sessions of a campaign may run commands: all of them have the same tools, whichever host does their
 * work.
 * @param demanded weakest tier that the campaign's recipes may run under; null for each
 * @param tiers those of the hosts that are known now
 */
export function workbenchOf(
  choice: WorkbenchChoice,
  demanded: TierName | null,
  tiers: readonly TierName[],
): Workbench {
  if (choice !== 'auto') return choice;
  if (demanded !== null && !isWeaker(demanded, WEAKEST)) return 'isolated';
  return tiers.length > 0 && tiers.every((tier) => isWeaker(tier, WEAKEST)) ? 'off' : 'isolated';
}

/** Explains to an agent why a host does not run its command; null where it does. */
export function workbenchRefusal(workbench: Workbench, tier: TierName): string | null {
  if (workbench === 'off') return 'This campaign runs no commands of sessions (workbench: off).';
  if (workbench === 'on' || !isWeaker(tier, WEAKEST)) return null;
  return `The host does not isolate commands (tier ${tier}; ${WEAKEST} or stronger is needed), so this one was not run. check and submit_trial work.`;
}

/** Probes of one session where a campaign names no other number. */
export const PROBES = 6;
export const MOST_PROBES = 100;
