import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  getExternalWorkflowHandle,
  rootCause,
  startChild,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { trialWorkflowId } from '../src/domain/keys.js';
import { reconcileActivities, type Frozen } from './proxies.js';
import { trial } from './trial.js';

/** A trial's workflow as a child of this one, or of an earlier run of it. */
interface StartedTrial {
  number: number;
  /** Cancelling this scope cancels the child. */
  scope: CancellationScope;
  /** null if the workflow was started before. */
  handle: ChildWorkflowHandle<typeof trial> | null;
}

/**
 * Starts a trial's workflow unless it was started before. A cancel reaches the child only once it has started.
 */
export async function startTrial(
  of: { frozen: Frozen; role: string },
  number: number,
  workflowIdReusePolicy: WorkflowIdReusePolicy = WorkflowIdReusePolicy.REJECT_DUPLICATE,
): Promise<StartedTrial> {
  const { frozen, role } = of;
  const scope = new CancellationScope();
  try {
    const handle = await scope.run(() =>
      startChild(trial, {
        workflowId: trialWorkflowId(frozen.name, number),
        args: [{ frozen, role, number }],
        workflowIdReusePolicy,
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
        staticSummary: `trial ${number} by ${role}`,
      }),
    );
    return { number, scope, handle };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { number, scope, handle: null };
    throw error;
  }
}

/**
 * Waits until a trial has ended or is parked, even if an earlier run of this lane started its workflow. A cancel of
 * this scope is passed on to the trial, and its end is still waited for. If its workflow ended without an outcome,
 * the trial is settled here.
 */
export async function untilTrialEnded(
  frozen: Frozen,
  { number, scope, handle }: StartedTrial,
): Promise<void> {
  let why = 'without an outcome';
  if (handle === null) await untilClosed(trialWorkflowId(frozen.name, number));
  else {
    const result = handle.result();
    try {
      await Promise.race([result, CancellationScope.current().cancelRequested]);
      return;
    } catch (error) {
      if (CancellationScope.current().consideredCancelled) {
        scope.cancel();
        await CancellationScope.nonCancellable(() => result.catch(() => undefined));
        throw error;
      }
      why = rootCause(error) ?? 'without a reason';
    }
  }
  await reconcileActivities.settleAbandoned.executeWithOptions({ summary: `settle trial ${number}` }, [
    { owner: frozen.owner, number, why: `its workflow ended: ${why}` },
  ]);
}

/**
 * Waits for the end of a workflow that an earlier run of this one, before a reset, has started: it is not a child of
 * this run. A cancel of this scope is passed on to it, and its end is still waited for.
 */
export async function untilClosed(workflowId: string): Promise<void> {
  const closed = (): Promise<void> =>
    reconcileActivities.awaitClosed.executeWithOptions(
      { summary: `wait for ${workflowId} of an earlier run` },
      [{ workflowId }],
    );
  try {
    await closed();
  } catch (error) {
    if (CancellationScope.current().consideredCancelled)
      await CancellationScope.nonCancellable(async () => {
        // it may have ended meanwhile, with nothing left to cancel
        await getExternalWorkflowHandle(workflowId)
          .cancel()
          .catch(() => undefined);
        await closed();
      });
    throw error;
  }
}

/** Runs a numbered trial to its end. */
export async function runTrial(of: { frozen: Frozen; role: string }, number: number): Promise<void> {
  const started = await CancellationScope.nonCancellable(() => startTrial(of, number));
  await untilTrialEnded(of.frozen, started);
}

/** Runs a parked trial again. */
export async function rerunTrial(of: { frozen: Frozen; role: string }, number: number): Promise<void> {
  const started = await CancellationScope.nonCancellable(() =>
    startTrial(of, number, WorkflowIdReusePolicy.ALLOW_DUPLICATE),
  );
  await untilTrialEnded(of.frozen, started);
}
