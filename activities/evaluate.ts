import { evaluate, type EvaluateRef, type EvaluateResult } from '../src/measure/evaluate.js';
import type { HostContext } from '../src/measure/host-context.js';
import type { RefusedHere } from '../src/measure/refused-here.js';
import { arrived, unsized, type Arrive } from '../src/measure/arrive.js';
import { withMonitor } from './heartbeat.js';
import { answeringRefusal } from './host-queue.js';

export interface EvaluateActivities {
  /** Scores the sealed copy in another process, with held-out data that training never saw. */
  evaluate(of: EvaluateRef): Promise<EvaluateResult | RefusedHere>;
}

export function evaluateActivities(context: HostContext, arrive: Arrive = unsized): EvaluateActivities {
  return {
    evaluate: (of) =>
      answeringRefusal(() =>
        arrived(context, arrive, (on) => withMonitor('preparing', (monitor) => evaluate(on, of, monitor))),
      ),
  };
}
