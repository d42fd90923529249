import type { FrozenCampaign } from '../domain/campaign/campaign.js';
import {
  courseOf,
  lastTurn,
  type Continuation,
  type LastTurn,
  type SaidReply,
} from '../domain/session/continuation.js';
import type { Reply } from '../domain/session/conversation.js';
import { mostReplyTokens, type FrozenModels, type ModelSetting } from '../domain/session/model-settings.js';
import { modelOfSession } from '../domain/session/model-of-session.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { Lineage } from '../lineage/lineage.js';
import type { SentExchange } from '../model/messages.js';
import { callsOf } from '../model/tools/tools.js';
import { exchangesBefore, type TurnRef } from './conversation.js';

/** A session before one of its turns, as it follows from what is stored. */
export interface SessionAt {
  setting: ModelSetting;
  /** The exchanges before the turn, each with what followed its reply. */
  exchanges: SentExchange[];
  /** Tokens that the reply of the turn may have. */
  maxTokens: number;
  last: LastTurn;
}

/** The model that a session was drawn, with its settings. */
export const settingOf = (
  frozen: FrozenModels,
  { _id, role }: Pick<SessionDocument, '_id' | 'role'>,
): ModelSetting => modelOfSession(frozen, { role, session: _id });

/** Reads a session up to a turn. A repeated request finds the same. */
export async function sessionBefore(
  lineage: Lineage,
  frozen: FrozenCampaign,
  session: SessionDocument,
  at: TurnRef,
): Promise<SessionAt> {
  const setting = settingOf(frozen, session);
  const exchanges = await exchangesBefore(lineage, at);
  const { steps, maxTokens } = courseFrom(
    exchanges.map(({ reply }) => reply),
    setting,
  );
  return {
    setting,
    exchanges: exchanges.map((exchange, index) => withStep(exchange, steps[index])),
    maxTokens,
    last: lastTurn({ turn: at.turn, trials: await trialsBefore(lineage, session, at) }, frozen),
  };
}

const withStep = (exchange: SentExchange, step: Continuation | undefined): SentExchange =>
  step === undefined ? exchange : { ...exchange, step };

/** The step that follows the newest of these replies. */
export function stepAfter(before: SessionAt, reply: Reply): Continuation {
  const replies = [...before.exchanges.map((exchange) => exchange.reply), reply];
  return courseFrom(replies, before.setting).steps.at(-1) ?? { kind: 'tools' };
}

function courseFrom(replies: readonly Reply[], { id, maxTokens }: ModelSetting): ReturnType<typeof courseOf> {
  return courseOf(replies.map(saidOf), { first: maxTokens, most: mostReplyTokens(id) });
}

function saidOf(reply: Reply): SaidReply {
  const calls = callsOf(reply);
  const whole = calls.filter(({ call }) => call.tool !== 'malformed').length;
  return { stopReason: reply.stopReason, calls: calls.length, whole };
}

/** Trials that turns before this one have submitted; one that turned out a duplicate was free. */
async function trialsBefore(
  lineage: Lineage,
  session: SessionDocument,
  { owner, turn }: TurnRef,
): Promise<number> {
  const trials = await lineage.trials.many(owner, session.submitted);
  return trials.filter((trial) => (trial.turn ?? 0) < turn && trial.status !== 'duplicate').length;
}
