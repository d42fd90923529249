import { AssayError } from '../domain/errors.js';
import type { Exchange, Reply, ToolUse } from '../domain/session/conversation.js';
import { callKey } from '../domain/keys.js';
import type { AnswerDocument } from '../lineage/documents/session.js';
import type { Lineage } from '../lineage/lineage.js';
import { parkedAnswer } from '../model/answers.js';
import { callsOf, type ToolCall } from '../model/tools/tools.js';
import { trialAnswer } from './trial-answer.js';
import { workspaceAt, type Workspace } from './workspace.js';

/** One turn of a session. */
export interface TurnRef {
  owner: string;
  session: string;
  turn: number;
}

/** One tool call: its session, the turn that asked for it, and its place among that turn's calls. */
export interface CallRef extends TurnRef {
  index: number;
}

export interface ConversationContext {
  use: ToolUse;
  call: ToolCall;
}

/** The calls of a turn whose reply is stored. */
export async function callsAt(
  lineage: Lineage,
  session: string,
  turn: number,
): Promise<ConversationContext[]> {
  return callsOf(await replyAt(lineage, session, turn));
}

async function replyAt(lineage: Lineage, session: string, turn: number): Promise<Reply> {
  const reply = await lineage.sessions.reply(session, turn);
  if (reply === null) throw new AssayError('INTERNAL', `turn ${turn} of ${session} has no reply`);
  return reply;
}

export async function callAt(
  lineage: Lineage,
  { session, turn, index }: CallRef,
): Promise<ConversationContext> {
  const asked = (await callsAt(lineage, session, turn))[index];
  if (asked === undefined)
    throw new AssayError('INTERNAL', `turn ${turn} of ${session} has no call ${index}`);
  return asked;
}

/** Stores the answer to a call with the workspace after it; the first one stored counts. */
export async function storeAnswer(
  lineage: Lineage,
  { session, turn, index }: CallRef,
  { use }: ConversationContext,
  answer: Workspace & { text: string; isError: boolean },
): Promise<AnswerDocument> {
  return lineage.sessions.answer({
    _id: callKey(session, turn, index),
    session,
    turn,
    index,
    toolUseId: use.id,
    tool: use.name,
    ...answer,
    at: new Date(),
  });
}

/** Stores the answers that submits before a turn still lack, from the trials that they became. */
export async function answerSubmits(lineage: Lineage, { owner, session, turn }: TurnRef): Promise<void> {
  // those before the last were answered before its reply was paid for
  for (let at = Math.max(0, turn - 1); at < turn; at += 1) {
    const asked = await callsAt(lineage, session, at);
    const answered = new Set(
      (await lineage.sessions.answersOf(session, at, asked.length)).map(({ index }) => index),
    );
    for (const [index, one] of asked.entries())
      if (!answered.has(index)) await answerSubmit(lineage, { owner, session, turn: at, index }, one);
  }
}

/** The finished exchanges before a turn, all of whose calls are answered. */
export async function exchangesBefore(
  lineage: Lineage,
  { session, turn }: Omit<TurnRef, 'owner'>,
): Promise<Exchange[]> {
  const replies = await lineage.sessions.repliesBefore(session, turn);
  const calls = replies.map((reply) => callsOf(reply).length);
  const stored = await lineage.sessions.answersBefore(session, calls);
  return replies.map((reply, at) => {
    const own = stored.filter((answer) => answer.turn === at);
    return { reply, answers: own.map(({ toolUseId, text, isError }) => ({ toolUseId, text, isError })) };
  });
}

/** The trial stands in for the workspace from now on: the next one descends from it. */
async function answerSubmit(lineage: Lineage, call: CallRef, asked: ConversationContext): Promise<void> {
  const before = await workspaceAt(lineage, call);
  const trial = await lineage.trials.bySubmitKey(callKey(call.session, call.turn, call.index));
  const text =
    trial?.outcome == null
      ? trial?.parked == null
        ? 'This call was not carried out.'
        : parkedAnswer(trial.number, trial.parked.reason)
      : await trialAnswer(lineage, trial.owner, trial.number);
  const base = trial?.outcome == null ? before.base : trial.number;
  await storeAnswer(lineage, call, asked, { ...before, base, text, isError: trial === null });
}
