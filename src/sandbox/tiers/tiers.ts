import type { TierName } from '../../domain/task/isolation.js';
import type { Probe } from './tier.js';
import { probeTierA } from './tier-a.js';
import { probeTierB } from './tier-b.js';
import { probeTierC } from './tier-c.js';
import { probeTierD } from './tier-d.js';
import { tierE } from './tier-e.js';

/** Paths that runs will need besides the system's own; only asked for where a tier depends on permissions. */
export type Needed = () => Promise<readonly string[]>;

/** Every tier with the probe that says whether it holds here, from the strongest to the weakest. */
export const TIERS: readonly { name: TierName; probe: (needed: Needed) => Promise<Probe> }[] = [
  { name: 'A', probe: probeTierA },
  { name: 'B', probe: probeTierB },
  { name: 'C', probe: probeTierC },
  { name: 'D', probe: async (needed) => probeTierD(await needed()) },
  { name: 'E', probe: () => Promise.resolve({ tier: tierE, why: null }) },
];
