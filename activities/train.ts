import { UNSIZED, type Admitted } from '../src/devices/admitted.js';
import type { Lineage } from '../src/lineage/lineage.js';
import type { HostContext } from '../src/measure/host-context.js';
import { isElsewhere, type EqualTraining } from '../src/measure/reuse.js';
import { train, type RunRef, type TrainResult } from '../src/measure/train.js';
import { poll, withMonitor } from './heartbeat.js';

export type { RunRef, TrainResult };

export interface TrainActivities {
  /** Trains, packs and seals on a lease, and checks the gates known by then. */
  train(of: RunRef): Promise<TrainResult>;
}

/** Takes in a request that came to this host, or refuses it with NO_FREE_SLOTS. */
export type Arrive = () => Promise<Admitted & { ended(): void }>;

const unsized: Arrive = () => Promise.resolve({ ...UNSIZED, ended: () => undefined });

export function trainActivities(context: HostContext, arrive: Arrive = unsized): TrainActivities {
  return {
    train: async (of) => {
      const admitted = await arrive();
      try {
        return await withMonitor('preparing', (monitor) => train(context, of, monitor, admitted));
      } finally {
        admitted.ended();
      }
    },
  };
}

export interface ReuseActivities {
  /** Waits until no live attempt of another replicate runs the same training. */
  awaitTraining(of: EqualTraining): Promise<void>;
}

const LOOK_EVERY_MS = 1000;

export function reuseActivities({ lineage }: { lineage: Lineage }): ReuseActivities {
  return {
    awaitTraining: async (of) => {
      await poll(LOOK_EVERY_MS, async () => ((await isElsewhere(lineage, of)) ? null : true));
    },
  };
}
