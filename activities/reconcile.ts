import type { TrialRef } from '../src/domain/keys.js';
import type { Finding } from '../src/domain/campaign/reconcile.js';
import type { Reason } from '../src/domain/campaign/reasons.js';
import type { CampaignState } from '../src/domain/statuses.js';
import { settleTrial } from '../src/measure/decision/decide-trial.js';
import { workEnds } from '../src/reconcile/abandoned-trials.js';
import { conclude, type Concluded } from '../src/reconcile/conclude.js';
import type { ReconcileContext, ReconcileRequest } from '../src/reconcile/context.js';
import { reconcile } from '../src/reconcile/reconcile.js';
import { poll, withHeartbeat } from './heartbeat.js';

export interface ReconcileActivities {
  reconcile(request: ReconcileRequest): Promise<Finding[]>;
  /**
   * Ends a campaign: settles its open work, then stores its last state; without a reason, with the stored one.
   */
  conclude(of: { owner: string; state: CampaignState; reason: Reason | null }): Promise<Concluded>;
  /** Waits until a workflow no longer runs. */
  awaitClosed(of: { workflowId: string }): Promise<void>;
  /**
   * Settles a trial whose workflow ended without an outcome, once its processes are dead; a parked one stays parked.
   */
  settleAbandoned(of: TrialRef & { why: string }): Promise<void>;
}

/** Time between two looks at a workflow that has to end. */
const POLL_MS = 1000;

export function reconcileActivities(context: ReconcileContext): ReconcileActivities {
  const { lineage, workflowFact } = context;
  const alive = <T>(work: () => Promise<T>): Promise<T> => withHeartbeat(() => null, work);
  return {
    reconcile: (request) => alive(() => reconcile(context, request)),
    conclude: ({ owner, state, reason }) => alive(() => conclude(context, owner, state, reason)),
    awaitClosed: async ({ workflowId }) => {
      await poll(POLL_MS, async () => ((await workflowFact(workflowId)) === 'running' ? null : true));
    },
    settleAbandoned: ({ owner, number, why }) =>
      alive(async () => {
        const { parked } = await lineage.trials.require(owner, number);
        if (parked !== null) return;
        await workEnds(context, await lineage.campaigns.byOwner(owner), [number]);
        await settleTrial(lineage, { owner, number }, { reason: why, withdrawn: false });
      }),
  };
}
