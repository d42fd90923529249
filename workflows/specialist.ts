import {
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  continueAsNew,
  isCancellation,
  rootCause,
  setCurrentDetails,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { trialWorkflowId } from '../src/domain/keys.js';
import { searchAttributesOf } from './attributes.js';
import type { LaneResult } from './messages.js';
import {
  decideActivities,
  modelActivities,
  sessionActivities,
  submitActivities,
  waitingActivities,
  workspaceActivities,
  type Frozen,
} from './proxies.js';
import { trial } from './trial.js';

/** Where a lane is: everything else that it knows is in the lineage. */
export interface SpecialistInput {
  frozen: Frozen & { turns: number };
  role: string;
  lane: string;
  session: number;
  turn: number;
}

/** Opens sessions one after another until the campaign takes no more proposals. */
export async function specialist(input: SpecialistInput): Promise<LaneResult> {
  const { frozen, lane, role } = input;
  const attributes = searchAttributesOf(frozen, { role, status: 'running' });
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  let { session, turn } = input;
  for (;;) {
    const opened = await sessionActivities.openSession.executeWithOptions(
      { summary: `open session ${session}` },
      [{ owner: frozen.owner, role, lane, index: session }],
    );
    if (opened.kind === 'wait') {
      await untilRunning(frozen.owner);
      continue;
    }
    if (opened.kind === 'done') return { lane, reason: opened.reason };
    const ended = await converse(input, opened.session, session, turn);
    await sessionActivities.closeSession.executeWithOptions({ summary: `close session ${session}` }, [
      { session: opened.session, because: ended },
    ]);
    session += 1;
    turn = 0;
    await renewHistory({ ...input, session, turn });
  }
}

/** One conversation, from its next turn to its end; returns why it ended. */
async function converse(
  input: SpecialistInput,
  session: string,
  index: number,
  from: number,
): Promise<string> {
  const { frozen, role } = input;
  for (let turn = from; turn < frozen.turns; turn += 1) {
    const at = { owner: frozen.owner, session, turn };
    setCurrentDetails(`${role}, session ${index}, turn ${turn + 1} of at most ${frozen.turns}`);
    const reply = await modelActivities.takeTurn.executeWithOptions(
      { summary: `${role}: turn ${turn + 1}` },
      [at],
    );
    if (reply.kind === 'wait') {
      await untilRunning(frozen.owner);
      turn -= 1;
      continue;
    }
    if (reply.kind === 'closed') return reply.reason;
    if (reply.tools.length > 0) {
      const { runTools } = workspaceActivities(frozen.pool, reply.needsHost);
      await runTools.executeWithOptions({ summary: reply.tools.join(', ') }, [at]);
    }
    await Promise.all(reply.submits.map((call) => submitAndRun(input, { ...at, index: call })));
    if (reply.ends !== null) return reply.ends;
    await renewHistory({ ...input, session: index, turn: turn + 1 });
  }
  return `the cap of ${frozen.turns} turns`;
}

/** From the submit to the child's start nothing may cut in; the child then obeys a cancel like everything else. */
async function submitAndRun(
  { frozen, role }: SpecialistInput,
  call: { owner: string; session: string; turn: number; index: number },
): Promise<void> {
  if (CancellationScope.current().consideredCancelled)
    throw new CancelledFailure('cancelled before a submit');
  const started = await CancellationScope.nonCancellable(async () => {
    const submitted = await submitActivities.submitTrial.executeWithOptions({ summary: 'submit a trial' }, [
      call,
    ]);
    if (submitted.kind === 'refused') return null;
    const scope = new CancellationScope();
    return { scope, result: scope.run(() => runTrial({ frozen, role }, submitted.number)) };
  });
  if (started !== null) await settled(started.scope, started.result);
}

/** A cancel of this scope reaches the child, and its end is still waited for. */
async function settled(child: CancellationScope, result: Promise<unknown>): Promise<void> {
  const cancelled = CancellationScope.current().cancelRequested;
  try {
    await Promise.race([result, cancelled]);
  } catch (error) {
    if (!isCancellation(error)) throw error;
    child.cancel();
    await CancellationScope.nonCancellable(() => result);
    throw error;
  }
}

/**
 * Runs a trial's workflow; where it was started before, waits for the outcome that is stored. A trial whose
 * workflow was ended from outside is settled by what is stored of it, and its lane goes on.
 */
export async function runTrial(of: { frozen: Frozen; role: string }, number: number): Promise<void> {
  const { frozen, role } = of;
  try {
    const handle = await startChild(trial, {
      workflowId: trialWorkflowId(frozen.name, number),
      args: [{ frozen, role, number }],
      workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      staticSummary: `trial ${number} by ${role}`,
    });
    await handle.result();
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      await waitingActivities.awaitOutcome.executeWithOptions({ summary: `wait for trial ${number}` }, [
        { owner: frozen.owner, number },
      ]);
      return;
    }
    if (CancellationScope.current().consideredCancelled) throw error;
    const interruption = `its workflow ended: ${rootCause(error) ?? 'without a reason'}`;
    await decideActivities.decide.executeWithOptions({ summary: `settle trial ${number}` }, [
      { owner: frozen.owner, number, interruption },
    ]);
  }
}

async function untilRunning(owner: string): Promise<void> {
  await waitingActivities.awaitControl.executeWithOptions({ summary: 'wait until the campaign goes on' }, [
    { owner, until: ['running', 'draining', 'stopping'] },
  ]);
}

/** Turn boundaries are where a history can be left behind: nothing is in flight there. */
async function renewHistory(next: SpecialistInput): Promise<void> {
  if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof specialist>(next);
}
