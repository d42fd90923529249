import { evaluate, type EvaluateRef, type EvaluateResult } from '../src/measure/evaluate.js';
import type { HostContext } from '../src/measure/host-context.js';
import { withMonitor } from './heartbeat.js';

export interface EvaluateActivities {
  /** Scores the sealed copy in another process, with held-out data that training never saw. */
  evaluate(of: EvaluateRef): Promise<EvaluateResult>;
}

export function evaluateActivities(context: HostContext): EvaluateActivities {
  return { evaluate: (of) => withMonitor('preparing', (monitor) => evaluate(context, of, monitor)) };
}
