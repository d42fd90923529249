import { findBubblewrap, TIER_C, type Bubblewrap } from './bubblewrap.js';
import type { Limits, RunRequest } from '../run.js';
import type { Launch } from './launch.js';
import type { Probe, Tier } from './tier.js';

/** bubblewrap's namespaces; rlimits and a watchdog for what a run may use. */
class TierC implements Tier {
  readonly isolation = TIER_C;

  constructor(readonly bubblewrap: Bubblewrap) {}

  threads(limits: Limits): number | null {
    return this.bubblewrap.threads(limits);
  }

  launch(request: RunRequest, shell: string): Launch {
    return this.bubblewrap.launch(request, shell);
  }

  hold(launch: Launch): Launch {
    return launch;
  }
}

export async function probeTierC(): Promise<Probe> {
  const found = await findBubblewrap();
  if ('bubblewrap' in found) return { tier: new TierC(found.bubblewrap), why: null };
  return { tier: null, ...found };
}
