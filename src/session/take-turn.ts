import type { Reply } from '../domain/session/conversation.js';
import { definedFields } from '../domain/defined-fields.js';
import { pruned, tokensOfText } from '../domain/session/prune.js';
import { isHeld } from '../domain/statuses.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { Lineage } from '../lineage/lineage.js';
import { ModelFault, type TurnRequest } from '../model/client.js';
import { messagesOf } from '../model/messages.js';
import { promptBlocks } from '../model/prompt.js';
import {
  callsOf,
  isDeferred,
  needsHost,
  needsLease,
  toolDefinitions,
  type ToolCall,
} from '../model/tools/tools.js';
import { closedBecause } from './closed-because.js';
import { answerSubmits, type TurnRef } from './conversation.js';
import { sessionBefore, stepAfter, type SessionAt } from './course.js';
import { toolOffer } from './tool-offer.js';
import { pay, promptUpper, reserve, settleLost, settleTurn, type ModelContext } from './turn-payment.js';

export type { ModelContext } from './turn-payment.js';

/** Requests of a reply, by the kinds of work that follow from them. */
export type TurnResult =
  | {
      kind: 'reply';
      tools: string[];
      needsHost: boolean;
      /** True where some call takes a lease; left out by an earlier assay. */
      needsLease?: boolean;
      submits: number[];
      /** Calls that await trials, and that take them back; left out by an earlier assay. */
      awaits?: number[];
      withdrawals?: number[];
      ends: string | null;
    }
  | { kind: 'wait' }
  | { kind: 'closed'; reason: string };

/** Reason for ending a session that its model cannot read any more; its role goes on with a next one. */
const FULL = 'the conversation no longer fits into the context of the model';

/** Uses the stored reply of the turn if there is one; pays for one otherwise. */
export async function takeTurn(context: ModelContext, at: TurnRef, signal: AbortSignal): Promise<TurnResult> {
  const { lineage } = context;
  await lineage.sessions.chooseStored(at.session, at.turn);
  const stored = await lineage.sessions.reply(at.session, at.turn);
  const campaign = await lineage.campaigns.byOwner(at.owner);
  const session = await lineage.sessions.get(at.session);
  if (stored !== null) {
    const before = await sessionBefore(lineage, campaign.frozen, session, at);
    const asked = await lineage.sessions.asked(at.session, at.turn);
    const model = asked?.model ?? campaign.frozen.model.id;
    await settleTurn(context, campaign, at, { reply: stored, model });
    return resultOf(before, stored);
  }
  if (isHeld(campaign.control)) return { kind: 'wait' };
  const closed = await closedBecause(lineage, campaign, session);
  if (closed !== null) return giveUp(lineage, at, closed);
  await answerSubmits(lineage, at);
  const before = await sessionBefore(lineage, campaign.frozen, session, at);
  const { request, fits } = await requestOf(lineage, { campaign, session, at }, before);
  if (!fits) return giveUp(lineage, at, FULL);
  // before anything is reserved: where there is no key, nothing can be spent
  const endpoint = context.endpoints.endpointOf(before.setting);
  const attempt = await lineage.sessions.attempt(at.session, at.turn);
  await settleLost(lineage, at, attempt);
  const promptTokens = promptUpper(request, before.exchanges.at(-1)?.reply.usage ?? null);
  const turn = { at, attempt, campaign, request, promptTokens };
  if (!(await reserve(context, turn, session.role))) return { kind: 'wait' };
  try {
    return resultOf(before, await pay(context, turn, endpoint, signal));
  } catch (error) {
    if (error instanceof ModelFault && error.tooLarge) return { kind: 'closed', reason: FULL };
    throw error;
  }
}

/** Ends a session without another request; what earlier attempts may have cost is settled. */
async function giveUp(lineage: Lineage, at: TurnRef, reason: string): Promise<TurnResult> {
  const { attempts } = await lineage.sessions.attempts(at.session, at.turn);
  await settleLost(lineage, at, attempts + 1);
  return { kind: 'closed', reason };
}

async function requestOf(
  lineage: Lineage,
  {
    campaign: { frozen },
    session,
    at,
  }: { campaign: CampaignDocument; session: SessionDocument; at: TurnRef },
  { setting, exchanges, maxTokens, last }: SessionAt,
): Promise<{ request: TurnRequest; fits: boolean }> {
  const opening = await lineage.blobs.text(session.opening);
  const system = promptBlocks(await lineage.blobs.text(session.system), session.roleStart);
  const { spec } = await lineage.tasks.get(frozen.task.digest);
  const tools = toolDefinitions(toolOffer(spec, frozen));
  const base = tokensOfText([...system, opening, JSON.stringify(tools)].join('').length);
  const limit = frozen.contextShare * setting.window;
  const sent = pruned(exchanges, { limit, base });
  const request = {
    model: setting.id,
    system,
    messages: messagesOf(opening, sent.exchanges, last?.words ?? null),
    tools,
    maxTokens,
    thinking: setting.thinking,
    cache: session.cache,
    ...definedFields({ effort: setting.effort }),
  };
  // the first request of a session is the provider's to judge: there is nothing to leave out
  return { request, fits: at.turn === 0 || sent.tokens + maxTokens <= setting.window };
}

/** Characters of a model's note on the end of its session that are kept as its reason. */
const LONGEST_NOTE = 300;

function finishedText(call: ToolCall): string {
  const note = call.tool === 'finish' ? call.note.replace(/\s+/g, ' ').trim() : '';
  return note === '' ? 'finished' : `finished: ${note.slice(0, LONGEST_NOTE)}`;
}

function resultOf(before: SessionAt, reply: Reply): TurnResult {
  const calls = callsOf(reply).map(({ call }, index) => ({ call, index }));
  const indicesOf = (tool: ToolCall['tool']): number[] =>
    calls.flatMap(({ call, index }) => (call.tool === tool ? [index] : []));
  const others = calls.filter(({ call }) => !isDeferred(call));
  const finish = calls.find(({ call }) => call.tool === 'finish');
  const step = stepAfter(before, reply);
  const ended = step.kind === 'end' ? step.because : (before.last?.because ?? null);
  return {
    kind: 'reply',
    tools: others.map(({ call }) => (call.tool === 'edit' ? call.edit.command : call.tool)),
    needsHost: others.some(({ call }) => needsHost(call)),
    needsLease: others.some(({ call }) => needsLease(call)),
    submits: before.last?.submits === false ? [] : indicesOf('submit_trial'),
    awaits: indicesOf('await_trials'),
    withdrawals: indicesOf('withdraw'),
    ends: finish === undefined ? ended : finishedText(finish.call),
  };
}
