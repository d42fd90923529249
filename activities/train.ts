import type { Lineage } from '../src/lineage/lineage.js';
import type { Calibrating } from '../src/lineage/trials/calibrations.js';
import type { HostContext } from '../src/measure/host-context.js';
import { isCalibratedElsewhere } from '../src/measure/calibration-turn.js';
import { isElsewhere, type EqualTraining } from '../src/measure/reuse.js';
import { train, type RunRef, type TrainResult } from '../src/measure/train.js';
import type { RefusedHere } from '../src/measure/refused-here.js';
import { arrived, unsized, type Arrive } from '../src/measure/arrive.js';
import { poll, withMonitor } from './heartbeat.js';
import { answeringRefusal } from './host-queue.js';

export type { RunRef, TrainResult };

export interface TrainActivities {
  /** Trains, packs and seals on a lease, and checks the gates known by then. */
  train(of: RunRef): Promise<TrainResult | RefusedHere>;
}

export function trainActivities(context: HostContext, arrive: Arrive = unsized): TrainActivities {
  return {
    train: (of) =>
      answeringRefusal(() =>
        arrived(context, arrive, (on) => withMonitor('preparing', (monitor) => train(on, of, monitor))),
      ),
  };
}

export interface ReuseActivities {
  /** Waits until no live attempt of another replicate runs the same training. */
  awaitTraining(of: EqualTraining): Promise<void>;
  /** Waits until no other trial measures the start on a class of hosts. */
  awaitCalibration(of: Calibrating): Promise<void>;
}

const LOOK_EVERY_MS = 1000;

export function reuseActivities({ lineage }: { lineage: Lineage }): ReuseActivities {
  return {
    awaitTraining: async (of) => {
      await poll(LOOK_EVERY_MS, async () => ((await isElsewhere(lineage, of)) ? null : true));
    },
    awaitCalibration: async (of) => {
      await poll(LOOK_EVERY_MS, async () => ((await isCalibratedElsewhere(lineage, of)) ? null : true));
    },
  };
}
