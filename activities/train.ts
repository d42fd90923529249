import type { HostContext } from '../src/measure/host-context.js';
import { train, type RunRef, type TrainResult } from '../src/measure/train.js';
import { withMonitor } from './heartbeat.js';

export type { RunRef };

export interface TrainActivities {
  /** Trains, packs and seals on a lease, and checks the gates that are known then. */
  train(of: RunRef): Promise<TrainResult>;
}

export function trainActivities(context: HostContext): TrainActivities {
  return { train: (of) => withMonitor('preparing', (monitor) => train(context, of, monitor)) };
}
