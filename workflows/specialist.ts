import {
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  ParentClosePolicy,
  WorkflowIdReusePolicy,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  rootCause,
  setCurrentDetails,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
  type ChildWorkflowHandle,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { REFUSED_TWICE } from '../src/domain/session/conversation.js';
import { trialWorkflowId } from '../src/domain/keys.js';
import { searchAttributesOf } from './attributes.js';
import { faultReason } from './failures.js';
import type { LaneResult } from './messages.js';
import {
  campaignActivities,
  modelActivities,
  reconcileActivities,
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
  const at: Position = { session: input.session, turn: input.turn, refusals: 0 };
  for (;;) {
    try {
      const reason = await nextSession(input, at);
      if (reason !== null) return { lane, reason };
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      at.refusals += 1;
      await blocked(input, error);
    }
  }
}

/** Where a lane is in its conversation. */
interface Position {
  session: number;
  turn: number;
  /** How often this turn failed for good, a person's resume between each. */
  refusals: number;
}

/** A turn that still fails after a person has looked is left behind, and its session with it. */
const REFUSALS = 2;

/** One session, or what is left of it; returns why the lane has nothing more to do, or null. */
async function nextSession(input: SpecialistInput, at: Position): Promise<string | null> {
  const { frozen, lane, role } = input;
  const opened = await sessionActivities.openSession.executeWithOptions(
    { summary: `open session ${at.session}` },
    [{ owner: frozen.owner, role, lane, index: at.session }],
  );
  if (opened.kind === 'wait') {
    await untilRunning(frozen.owner);
    return null;
  }
  if (opened.kind === 'done') return opened.reason;
  if (opened.kind === 'closed') {
    at.session += 1;
    at.turn = 0;
    return null;
  }
  const because = at.refusals >= REFUSALS ? REFUSED_TWICE : await converse(input, opened.session, at);
  await sessionActivities.closeSession.executeWithOptions({ summary: `close session ${at.session}` }, [
    { session: opened.session, because },
  ]);
  at.session += 1;
  at.turn = 0;
  at.refusals = 0;
  await renewHistory({ ...input, session: at.session, turn: at.turn });
  return null;
}

/** What failed for good, or again and again, blocks the campaign until a person has looked. */
async function blocked({ frozen, lane }: SpecialistInput, error: ActivityFailure): Promise<void> {
  const reason = faultReason(lane, error);
  const control = await campaignActivities.block.executeWithOptions({ summary: 'block: a lane failed' }, [
    { owner: frozen.owner, reason },
  ]);
  if (control === 'stopping') throw error;
  await untilRunning(frozen.owner);
}

/** One conversation, from its next turn to its end; returns why it ended. */
async function converse(input: SpecialistInput, session: string, at: Position): Promise<string> {
  const { frozen, role } = input;
  while (at.turn < frozen.turns) {
    const of = { owner: frozen.owner, session, turn: at.turn };
    setCurrentDetails(`${role}, session ${at.session}, turn ${at.turn + 1} of at most ${frozen.turns}`);
    const reply = await modelActivities.takeTurn.executeWithOptions(
      { summary: `${role}: turn ${at.turn + 1}` },
      [of],
    );
    if (reply.kind === 'wait') {
      await untilRunning(frozen.owner);
      continue;
    }
    if (reply.kind === 'closed') return reply.reason;
    if (reply.tools.length > 0) {
      const { runTools } = workspaceActivities(frozen, reply.needsHost);
      await runTools.executeWithOptions({ summary: reply.tools.join(', ') }, [of]);
    }
    const runs = reply.submits.map((call) => submitAndRun(input, { ...of, index: call }));
    // one that fails does not end the lane before the others, whose trials it would cancel
    await Promise.allSettled(runs);
    await Promise.all(runs);
    if (reply.ends !== null) return reply.ends;
    at.turn += 1;
    at.refusals = 0;
    await renewHistory({ ...input, session: at.session, turn: at.turn });
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
    return startTrial({ frozen, role }, submitted.number);
  });
  if (started !== null) await untilEnded(frozen, started);
}

interface StartedTrial {
  number: number;
  /** Cancelling it cancels the child. */
  scope: CancellationScope;
  /** null where the workflow was started before. */
  handle: ChildWorkflowHandle<typeof trial> | null;
}

/** Starts a trial's workflow, unless that was done before. A cancel reaches the child only once it has started. */
async function startTrial(
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
 * Waits for the end of a trial, or until it is parked, also of one whose workflow was started by an earlier run of this lane. A cancel of this
 * scope reaches the trial, and its end is still waited for. One whose workflow ended without an outcome gets one here.
 */
async function untilEnded(frozen: Frozen, { number, scope, handle }: StartedTrial): Promise<void> {
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
 * Waits for the end of a workflow that an earlier run of this one has started, before a reset: it is no child of this
 * run. A cancel of this scope reaches it all the same, and its end is still waited for.
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
        // it may have ended meanwhile, and then there is nothing to cancel
        await getExternalWorkflowHandle(workflowId)
          .cancel()
          .catch(() => undefined);
        await closed();
      });
    throw error;
  }
}

/** Runs a trial whose number is taken to its end. */
export async function runTrial(of: { frozen: Frozen; role: string }, number: number): Promise<void> {
  const started = await CancellationScope.nonCancellable(() => startTrial(of, number));
  await untilEnded(of.frozen, started);
}

/** Runs a trial again that was parked. */
export async function rerunTrial(of: { frozen: Frozen; role: string }, number: number): Promise<void> {
  const started = await CancellationScope.nonCancellable(() =>
    startTrial(of, number, WorkflowIdReusePolicy.ALLOW_DUPLICATE),
  );
  await untilEnded(of.frozen, started);
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
