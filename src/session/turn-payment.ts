import { AssayError } from '../domain/errors.js';
import { turnKey } from '../domain/keys.js';
import type { Reply, Usage } from '../domain/session/conversation.js';
import { pauseExhausted } from '../lineage/budgets/pause-on-exhausted-budget.js';
import { NOTHING } from '../lineage/budgets/budgets.js';
import type { Amounts } from '../lineage/documents/budget.js';
import type { CampaignDocument } from '../lineage/documents/campaign.js';
import type { Lineage } from '../lineage/lineage.js';
import { persist } from '../lineage/persist.js';
import { ModelFault, requestTurn, type Endpoint, type TurnRequest } from '../model/client.js';
import type { ModelEndpoints } from '../model/endpoints.js';
import { webBound } from '../model/tools/web.js';
import {
  priceOf,
  pricesOf,
  searchesUpper,
  tokensOf,
  tokensUpper,
  upperBound,
  type PriceTable,
} from '../model/pricing.js';
import type { TurnRef } from './conversation.js';

export interface ModelContext {
  lineage: Lineage;
  endpoints: ModelEndpoints;
  prices: PriceTable;
}

/** A turn that is to be paid for. */
export interface PaidTurn {
  at: TurnRef;
  /** Number of this attempt at it. */
  attempt: number;
  campaign: CampaignDocument;
  request: TurnRequest;
  /** Tokens that its prompt has at most. */
  promptTokens: number;
}

const attemptKey = (at: TurnRef, attempt: number): string => `${turnKey(at.session, at.turn)}/${attempt}`;

/** Attempts of which no reply came back may have been paid: they are settled at what they could have cost. */
export async function settleLost(lineage: Lineage, at: TurnRef, attempt: number): Promise<void> {
  for (let lost = 1; lost < attempt; lost += 1)
    await lineage.budgets.giveUp(at.owner, attemptKey(at, lost), 'model');
}

/** A turn that has its reply leaves no reservation open, wherever an earlier attempt was cut off. */
export async function settleTurn(
  context: ModelContext,
  campaign: CampaignDocument,
  at: TurnRef,
  { reply, model }: { reply: Reply; model: string },
): Promise<void> {
  const { lineage } = context;
  const { attempts, chosen } = await lineage.sessions.attempts(at.session, at.turn);
  if (chosen !== null) {
    const cost = costOf(context, campaign, model, reply.usage);
    await lineage.budgets.settle(at.owner, attemptKey(at, chosen), cost, 'known');
  }
  await settleLost(lineage, at, attempts + 1);
}

/** At the price of the model that was asked for: an endpoint may call it by another name in its reply. */
function costOf(
  { prices }: ModelContext,
  { frozen }: CampaignDocument,
  model: string,
  usage: Usage,
): Amounts {
  return {
    microUsd: priceOf(model, usage, pricesOf(frozen, prices)) ?? 0,
    acceleratorMs: 0,
    tokens: tokensOf(usage),
  };
}

/**
 * Tokens that a prompt has at most: what the provider counted for the last one and its reply, and a token for each byte
 * of what was added since; without a count of the provider, a token for each byte.
 */
export function promptUpper(request: TurnRequest, last: Usage | null): number {
  const all = tokensUpper(...request.system, JSON.stringify([request.messages, request.tools]));
  const counted = last === null ? 0 : last.inputTokens + last.cacheReadTokens + last.cacheWriteTokens;
  if (last === null || counted === 0) return all;
  const from = request.messages.findLastIndex(({ role }) => role === 'assistant');
  const added = tokensUpper(JSON.stringify(request.messages.slice(from + 1)));
  return counted + last.outputTokens + added;
}

/** Holds what the request can cost at most; a limit that leaves no room pauses the campaign. */
export async function reserve(
  { lineage, prices }: ModelContext,
  { at, attempt, campaign, request, promptTokens }: PaidTurn,
  role: string,
): Promise<boolean> {
  const { model, maxTokens, cache = '5m' } = request;
  const own = pricesOf(campaign.frozen, prices);
  const web = webBound(campaign.frozen);
  const prompt = promptTokens + web.tokens;
  const microUsd =
    (upperBound({ model, promptTokens: prompt, maxTokens, cache }, own) ?? 0) +
    searchesUpper(model, web.searches, own);
  const amounts = { microUsd, acceleratorMs: 0, tokens: prompt + maxTokens };
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
export async function pay(
  context: ModelContext,
  turn: PaidTurn,
  endpoint: Endpoint,
  signal: AbortSignal,
): Promise<Reply> {
  const { at, attempt, campaign, request } = turn;
  const { lineage } = context;
  const reply = await requestTurn(endpoint, request, { signal, onEvent: () => undefined }).catch(
    async (error: unknown) => {
      await settleFailed(context, turn, error);
      throw error;
    },
  );
  const { model, effort = null, thinking = 'adaptive', maxTokens, cache = '5m' } = request;
  const asked = { model, effort, thinking, maxTokens, cache };
  const used = await persist(signal, () => lineage.sessions.store({ ...at, attempt }, reply, asked));
  const cost = costOf(context, campaign, model, reply.usage);
  await persist(signal, () => lineage.budgets.settle(at.owner, attemptKey(at, attempt), cost, 'known'));
  return used;
}

/** A request without a reply costs nothing where none was begun, else what its events told, else its bound. */
async function settleFailed(context: ModelContext, turn: PaidTurn, error: unknown): Promise<void> {
  const { at, attempt, campaign, request } = turn;
  const { budgets } = context.lineage;
  const key = attemptKey(at, attempt);
  if (!(error instanceof ModelFault)) return budgets.settle(at.owner, key, 'upper-bound', 'unknown');
  if (!error.maybePaid) return budgets.settle(at.owner, key, NOTHING, 'unpaid');
  if (error.usage === null) return budgets.settle(at.owner, key, 'upper-bound', 'unknown');
  const cost = costOf(context, campaign, request.model, error.usage);
  return budgets.settle(at.owner, key, cost, 'estimated');
}
