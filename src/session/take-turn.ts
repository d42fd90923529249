import { AssayError } from '../domain/errors.js';
import { turnKey } from '../domain/keys.js';
import type { Reply } from '../domain/session/conversation.js';
import { isHeld } from '../domain/statuses.js';
import type { Amounts } from '../lineage/documents/budget.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { SessionDocument } from '../lineage/documents/session.js';
import type { Lineage } from '../lineage/lineage.js';
import { ModelFault, requestTurn, messagesOf, type Endpoint, type TurnRequest } from '../model/client.js';
import {
  priceOf,
  pricesOf,
  searchesUpper,
  tokensOf,
  tokensUpper,
  upperBound,
  type PriceTable,
} from '../model/pricing.js';
import {
  callsOf,
  isDeferred,
  needsHost,
  needsLease,
  toolDefinitions,
  type ToolCall,
} from '../model/tools/tools.js';
import { webBound } from '../model/tools/web.js';
import type { ModelEndpoints } from '../model/endpoints.js';
import { answerSubmits, exchangesBefore, type TurnRef } from './conversation.js';
import { pauseExhausted } from '../lineage/budgets/pause-on-exhausted-budget.js';
import { persist } from '../lineage/persist.js';
import { closedBecause } from './closed-because.js';
import { toolOffer } from './tool-offer.js';

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

export interface ModelContext {
  lineage: Lineage;
  endpoints: ModelEndpoints;
  prices: PriceTable;
}

/** A turn that is to be paid for. */
interface PaidTurn {
  at: TurnRef;
  /** Number of this attempt at it. */
  attempt: number;
  campaign: CampaignDocument;
  request: TurnRequest;
}

/** Uses the stored reply of the turn if there is one; pays for one otherwise. */
export async function takeTurn(context: ModelContext, at: TurnRef, signal: AbortSignal): Promise<TurnResult> {
  const { lineage } = context;
  await lineage.sessions.chooseStored(at.session, at.turn);
  const stored = await lineage.sessions.reply(at.session, at.turn);
  const campaign = await lineage.campaigns.byOwner(at.owner);
  if (stored !== null) {
    await settleTurn(context, campaign, at, stored);
    return resultOf(stored);
  }
  if (isHeld(campaign.control)) return { kind: 'wait' };
  const closed = await closedBecause(lineage, campaign);
  if (closed !== null) {
    await settleLost(lineage, at, (await lineage.sessions.attempts(at.session, at.turn)).attempts + 1);
    return { kind: 'closed', reason: closed };
  }
  await answerSubmits(lineage, at);
  const session = await lineage.sessions.get(at.session);
  const request = await requestOf(lineage, campaign, session, at);
  // before anything is reserved: where there is no key, nothing can be spent
  const endpoint = context.endpoints.endpointOf(campaign.frozen.model);
  const attempt = await lineage.sessions.attempt(at.session, at.turn);
  await settleLost(lineage, at, attempt);
  const turn = { at, attempt, campaign, request };
  if (!(await reserve(context, turn, session.role))) return { kind: 'wait' };
  return resultOf(await pay(context, turn, endpoint, signal));
}

async function requestOf(
  lineage: Lineage,
  campaign: CampaignDocument,
  session: SessionDocument,
  at: TurnRef,
): Promise<TurnRequest> {
  const exchanges = await exchangesBefore(lineage, at);
  const opening = await lineage.blobs.text(session.opening);
  const { spec } = await lineage.tasks.get(campaign.frozen.task.digest);
  return {
    model: campaign.frozen.model.id,
    system: await lineage.blobs.text(session.system),
    messages: messagesOf(opening, exchanges),
    tools: toolDefinitions(toolOffer(spec, campaign.frozen)),
    maxTokens: campaign.frozen.maxTokens,
  };
}

const attemptKey = (at: TurnRef, attempt: number): string => `${turnKey(at.session, at.turn)}/${attempt}`;

/** Attempts of which no reply came back may have been paid: they are settled at what they could have cost. */
async function settleLost(lineage: Lineage, at: TurnRef, attempt: number): Promise<void> {
  for (let lost = 1; lost < attempt; lost += 1)
    await lineage.budgets.giveUp(at.owner, attemptKey(at, lost), 'model');
}

/** A turn that has its reply leaves no reservation open, wherever an earlier attempt was cut off. */
async function settleTurn(
  context: ModelContext,
  campaign: CampaignDocument,
  at: TurnRef,
  reply: Reply,
): Promise<void> {
  const { lineage } = context;
  const { attempts, chosen } = await lineage.sessions.attempts(at.session, at.turn);
  if (chosen !== null) {
    const cost = costOf(context, campaign, reply);
    await lineage.budgets.settle(at.owner, attemptKey(at, chosen), cost, 'known');
  }
  await settleLost(lineage, at, attempts + 1);
}

/** At the price of the model that was asked for: an endpoint may call it by another name in its reply. */
function costOf({ prices }: ModelContext, { frozen }: CampaignDocument, reply: Reply): Amounts {
  return {
    microUsd: priceOf(frozen.model.id, reply.usage, pricesOf(frozen, prices)) ?? 0,
    acceleratorMs: 0,
    tokens: tokensOf(reply.usage),
  };
}

/** Holds what the request can cost at most; a limit that leaves no room pauses the campaign. */
async function reserve(
  { lineage, prices }: ModelContext,
  { at, attempt, campaign, request }: PaidTurn,
  role: string,
): Promise<boolean> {
  const web = webBound(campaign.frozen);
  const promptTokens =
    tokensUpper(request.system, JSON.stringify([request.messages, request.tools])) + web.tokens;
  const own = pricesOf(campaign.frozen, prices);
  const microUsd =
    (upperBound(request.model, promptTokens, request.maxTokens, own) ?? 0) +
    searchesUpper(request.model, web.searches, own);
  const amounts = { microUsd, acceleratorMs: 0, tokens: promptTokens + request.maxTokens };
  const result = await lineage.budgets.reserve({
    owner: at.owner,
    key: attemptKey(at, attempt),
    amounts,
    what: 'model',
    role,
    trial: null,
  });
  if (result === 'reserved') return true;
  if (result === 'settled') throw new AssayError('OVERTAKEN', 'this attempt was given up by a later one');
  await pauseExhausted(lineage, at.owner, amounts);
  return false;
}

/** Calls the model, and stores the reply before anything uses it. */
async function pay(
  context: ModelContext,
  { at, attempt, campaign, request }: PaidTurn,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<Reply> {
  const { lineage } = context;
  const key = attemptKey(at, attempt);
  const reply = await requestTurn(endpoint, request, { signal, onEvent: () => undefined }).catch(
    async (error: unknown) => {
      const unpaid = error instanceof ModelFault && !error.maybePaid;
      const nothing = { microUsd: 0, acceleratorMs: 0, tokens: 0 };
      await lineage.budgets.settle(
        at.owner,
        key,
        unpaid ? nothing : 'upper-bound',
        unpaid ? 'unpaid' : 'unknown',
      );
      throw error;
    },
  );
  const used = await persist(signal, () => lineage.sessions.store(at.session, at.turn, attempt, reply));
  const cost = costOf(context, campaign, reply);
  await persist(signal, () => lineage.budgets.settle(at.owner, key, cost, 'known'));
  return used;
}

/** Characters of a model's note on the end of its session that are kept as its reason. */
const LONGEST_NOTE = 300;

function finishedText(call: ToolCall): string {
  const note = call.tool === 'finish' ? call.note.replace(/\s+/g, ' ').trim() : '';
  return note === '' ? 'finished' : `finished: ${note.slice(0, LONGEST_NOTE)}`;
}

function resultOf(reply: Reply): TurnResult {
  const calls = callsOf(reply).map(({ call }, index) => ({ call, index }));
  const indicesOf = (tool: ToolCall['tool']): number[] =>
    calls.flatMap(({ call, index }) => (call.tool === tool ? [index] : []));
  const others = calls.filter(({ call }) => !isDeferred(call));
  const finish = calls.find(({ call }) => call.tool === 'finish');
  return {
    kind: 'reply',
    tools: others.map(({ call }) => (call.tool === 'edit' ? call.edit.command : call.tool)),
    needsHost: others.some(({ call }) => needsHost(call)),
    needsLease: others.some(({ call }) => needsLease(call)),
    submits: indicesOf('submit_trial'),
    awaits: indicesOf('await_trials'),
    withdrawals: indicesOf('withdraw'),
    ends:
      finish !== undefined
        ? finishedText(finish.call)
        : calls.length === 0
          ? `the model ended its turn (${reply.stopReason})`
          : null,
  };
}
