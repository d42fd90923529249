import { Context } from '@temporalio/activity';
import type { TrialRef } from '../src/domain/keys.js';
import type { HostContext } from '../src/measure/host-context.js';
import { prepare, type Prepared } from '../src/measure/prepare.js';
import { arrived, unsized, type Arrive } from '../src/measure/arrive.js';
import { withMonitor } from './heartbeat.js';

export interface PrepareActivities {
  /** Checks everything that can be known before an accelerator is taken. */
  prepare(of: TrialRef): Promise<Prepared>;
}

export function prepareActivities(context: HostContext, arrive: Arrive = unsized): PrepareActivities {
  return {
    prepare: (of) =>
      arrived(context, arrive, (on) =>
        withMonitor('preparing', (monitor) => {
          // by the server's one clock, so that each attempt overtakes the earlier ones
          const fence = Context.current().info.currentAttemptScheduledTimestampMs;
          return prepare(on, of, fence, monitor);
        }),
      ),
  };
}
