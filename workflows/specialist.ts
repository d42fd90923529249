import {
  ActivityFailure,
  CancellationScope,
  continueAsNew,
  isCancellation,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { REFUSED_TWICE } from '../src/domain/session/conversation.js';
import { searchAttributesOf } from './attributes.js';
import { faultReason } from './failures.js';
import { LaneTrials } from './lane-trials.js';
import type { LaneResult } from './messages.js';
import {
  campaignActivities,
  modelActivities,
  sessionActivities,
  waitingActivities,
  workspaceActivities,
  type Frozen,
} from './proxies.js';

/** Position of a lane; the rest of its state is in the lineage. */
export interface SpecialistInput {
  frozen: Frozen & { turns: number };
  role: string;
  lane: string;
  session: number;
  turn: number;
}

/** Runs one session after another until the campaign takes no more proposals. */
export async function specialist(input: SpecialistInput): Promise<LaneResult> {
  const { frozen, lane, role } = input;
  const attributes = searchAttributesOf(frozen, { role, status: 'running' });
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  const trials = new LaneTrials(input);
  const at: Position = { session: input.session, turn: input.turn, refusals: 0, trials };
  try {
    return { lane, reason: await sessions(input, at) };
  } finally {
    // a lane that is cancelled ends after its trials
    await CancellationScope.nonCancellable(() => trials.settled());
  }
}

/** Runs sessions until the lane has nothing more to do; returns why. */
async function sessions(input: SpecialistInput, at: Position): Promise<string> {
  for (;;) {
    try {
      const reason = await nextSession(input, at);
      if (reason !== null) return reason;
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      at.refusals += 1;
      await blocked(input, error);
    }
  }
}

/** Position of a lane in its conversation. */
interface Position {
  session: number;
  turn: number;
  /** Number of final failures of this turn, each followed by a person's resume. */
  refusals: number;
  trials: LaneTrials;
}

/** Failures after which a turn is given up, and its session with it. */
const REFUSALS = 2;

/** Runs one session, or the rest of it; returns why the lane has nothing more to do, or null. */
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
  // the next session begins with what they came to
  await at.trials.settled();
  await sessionActivities.closeSession.executeWithOptions({ summary: `close session ${at.session}` }, [
    { session: opened.session, because },
  ]);
  at.session += 1;
  at.turn = 0;
  at.refusals = 0;
  await renewHistory({ ...input, session: at.session, turn: at.turn }, at.trials);
  return null;
}

/** Blocks the campaign after a final failure until a person resumes it. */
async function blocked({ frozen, lane }: SpecialistInput, error: ActivityFailure): Promise<void> {
  const reason = faultReason(lane, error);
  const control = await campaignActivities.block.executeWithOptions({ summary: 'block: a lane failed' }, [
    { owner: frozen.owner, reason },
  ]);
  if (control === 'stopping') throw error;
  await untilRunning(frozen.owner);
}

/** Runs one conversation from its next turn to its end; returns why it ended. */
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
      const { runTools } = workspaceActivities(frozen, reply);
      await runTools.executeWithOptions({ summary: reply.tools.join(', ') }, [of]);
    }
    await at.trials.carryOut(of, reply);
    if (reply.ends !== null) return reply.ends;
    at.turn += 1;
    at.refusals = 0;
    await renewHistory({ ...input, session: at.session, turn: at.turn }, at.trials);
  }
  return `the cap of ${frozen.turns} turns`;
}

async function untilRunning(owner: string): Promise<void> {
  await waitingActivities.awaitControl.executeWithOptions({ summary: 'wait until the campaign goes on' }, [
    { owner, until: ['running', 'draining', 'stopping'] },
  ]);
}

/** Continues as new. This is done between turns, once nothing is in flight. */
async function renewHistory(next: SpecialistInput, trials: LaneTrials): Promise<void> {
  if (!workflowInfo().continueAsNewSuggested) return;
  await trials.settled();
  await continueAsNew<typeof specialist>(next);
}
