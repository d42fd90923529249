import type { Lineage } from '../src/lineage/lineage.js';
import { isElsewhere, type EqualTraining } from '../src/measure/reuse.js';
import { poll } from './heartbeat.js';

export interface ReuseActivities {
  /** Waits until no living attempt of another replicate trains the very same. */
  awaitTraining(of: EqualTraining): Promise<void>;
}

const LOOK_EVERY_MS = 1000;

export function reuseActivities({ lineage }: { lineage: Lineage }): ReuseActivities {
  return {
    awaitTraining: (of) =>
      poll(LOOK_EVERY_MS, async () => ((await isElsewhere(lineage, of)) ? null : true)).then(() => undefined),
  };
}
