import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Usage } from '../domain/session/conversation.js';
import { AssayError, messageOf } from '../domain/errors.js';
import type { CacheTime } from '../domain/session/cache-time.js';
import { allModels, type FrozenModels } from '../domain/session/model-settings.js';
import type { ModelPrice, PriceTier } from '../domain/money/price.js';

/** The model id of the offline proposer; it costs nothing. */
export const OFFLINE_MODEL = 'offline-proposer';

/** Prices by model id without a date at its end, each with its tiers in ascending order. */
export interface PriceTable {
  models: ReadonlyMap<string, ModelPrice>;
}

const MICRO = 1_000_000;

/** US dollars per million tokens; writing to the cache is 1.25 × input for five minutes and 2 × for an hour, unless given. */
const usdTierSchema = z.strictObject({
  upTo: z.number().int().positive().nullable().default(null),
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cacheRead: z.number().nonnegative().optional(),
  cacheWrite: z.number().nonnegative().optional(),
  cacheWriteHour: z.number().nonnegative().optional(),
  /** For 1,000 searches. */
  webSearch: z.number().nonnegative().optional(),
});
type UsdTier = z.input<typeof usdTierSchema>;

const priceFileSchema = z.strictObject({
  asOf: z.iso.date(),
  /** Source of the prices: an address, a contract, a person. */
  source: z.string().trim().min(1).max(500),
  models: z.record(
    z.string().min(1),
    z.array(usdTierSchema).min(1).refine(ascending, 'tiers ascend by upTo, and only the last has none'),
  ),
});

function ascending(tiers: readonly { upTo: number | null }[]): boolean {
  return tiers.every((tier, index) => {
    const next = tiers[index + 1];
    if (next === undefined) return tier.upTo === null;
    return tier.upTo !== null && (next.upTo === null || next.upTo > tier.upTo);
  });
}

function tierOf(usd: UsdTier): PriceTier {
  const micro = (dollars: number): number => Math.round(dollars * MICRO);
  return {
    upTo: usd.upTo ?? null,
    input: micro(usd.input),
    output: micro(usd.output),
    cacheRead: micro(usd.cacheRead ?? usd.input),
    cacheWrite: micro(usd.cacheWrite ?? usd.input * 1.25),
    cacheWriteHour: micro(usd.cacheWriteHour ?? usd.input * 2),
    ...(usd.webSearch === undefined ? {} : { webSearch: micro(usd.webSearch) }),
  };
}

const flat = (input: number, output: number, read: number): UsdTier => ({
  input,
  output,
  cacheRead: input * read,
});

/** As the vendor's pricing page had it on a day. */
const listed = (asOf: string, ...tiers: readonly UsdTier[]): ModelPrice => ({
  asOf,
  source: "the vendor's pricing page",
  tiers: tiers.map(tierOf),
});

/** The vendor's list prices, each with the day on which it was looked up; one without such a day is left out. */
export const PRICES: PriceTable = {
  models: new Map([
    ['claude-fable-5-2', listed('2026-11-12', flat(8, 40, 0.025))],
    ['claude-fable-5-1', listed('2026-10-31', flat(10, 50, 0.025))],
    ['claude-fable-5', listed('2026-10-10', flat(10, 50, 0.1))],
    ['claude-opus-5-5', listed('2026-10-31', flat(4, 20, 0.05))],
    ...['claude-opus-5', 'claude-opus-4-8', 'claude-opus-4-7', 'claude-opus-4-6', 'claude-opus-4-5'].map(
      (id): [string, ModelPrice] => [id, listed('2026-10-31', flat(5, 25, 0.1))],
    ),
    ['claude-sonnet-5-5', listed('2026-10-31', flat(2, 10, 0.05))],
    ['claude-sonnet-5', listed('2026-10-10', flat(2, 10, 0.1))],
    ['claude-sonnet-4-6', listed('2026-10-10', flat(3, 15, 0.1))],
    [
      'claude-haiku-5-5',
      listed('2026-10-31', { ...flat(0.1, 0.5, 0.1), upTo: 100_000 }, flat(0.5, 2.5, 0.1)),
    ],
    ['claude-haiku-4-5', listed('2026-10-10', flat(1, 5, 0.1))],
    [OFFLINE_MODEL, { ...listed('2026-10-31', flat(0, 0, 0)), source: 'it runs on this machine' }],
  ]),
};

/** The price table with the models of a user's file put in place of ours; throws PRICES_INVALID. */
export function withPrices(json: unknown, base: PriceTable = PRICES): PriceTable {
  const parsed = priceFileSchema.safeParse(json);
  if (!parsed.success)
    throw new AssayError('PRICES_INVALID', `The price table is malformed: ${z.prettifyError(parsed.error)}`);
  const { asOf, source, models } = parsed.data;
  const own = Object.entries(models).map(
    ([id, tiers]) => [id, { asOf, source, tiers: tiers.map(tierOf) }] as const,
  );
  return { models: new Map([...base.models, ...own]) };
}

/** Reads a user's JSON file of prices in US dollars; throws PRICES_INVALID where it cannot be read. */
export async function readPrices(file: string): Promise<PriceTable> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new AssayError('PRICES_INVALID', `The price table ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return withPrices(json);
}

/**
 * The prices that a worker keeps dollar budgets by: ours, or those of the file that ASSAY_PRICES names put in their
 * place; throws PRICES_INVALID.
 */
export async function pricesFrom(env: NodeJS.ProcessEnv): Promise<PriceTable> {
  const file = env.ASSAY_PRICES;
  return file === undefined || file === '' ? PRICES : readPrices(file);
}

/** Computes the cost of a reply in micro-USD, rounded up; null for a model without a price. */
export function priceOf(model: string, usage: Usage, table: PriceTable = PRICES): number | null {
  const tiers = tiersOf(model, table);
  if (tiers === undefined) return null;
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const tier = tiers.find(({ upTo }) => upTo === null || prompt <= upTo);
  if (tier === undefined) return null;
  const hour = Math.min(usage.cacheWriteHourTokens ?? 0, usage.cacheWriteTokens);
  const total =
    usage.inputTokens * tier.input +
    usage.cacheReadTokens * tier.cacheRead +
    (usage.cacheWriteTokens - hour) * tier.cacheWrite +
    hour * (tier.cacheWriteHour ?? 2 * tier.input) +
    usage.outputTokens * tier.output;
  return Math.ceil(total / MICRO + searchPrice(tier, usage.webSearches ?? 0));
}

const searchPrice = ({ webSearch = 0 }: PriceTier, searches: number): number => (searches * webSearch) / 1000;

/** The most that so many web searches cost in micro-USD; 0 where their price is not known. */
export function searchesUpper(model: string, searches: number, table: PriceTable = PRICES): number {
  const costs = (tiersOf(model, table) ?? []).map((tier) => searchPrice(tier, searches));
  return Math.ceil(Math.max(0, ...costs));
}

/** A request as far as it decides what it can cost. */
export interface PricedRequest {
  model: string;
  /** Tokens that its prompt has at most. */
  promptTokens: number;
  /** Tokens that its reply may have. */
  maxTokens: number;
  cache: CacheTime;
}

/** The most that a request of assay can cost in micro-USD, for a reservation; null for a model without a price. */
export function upperBound(request: PricedRequest, table: PriceTable = PRICES): number | null {
  const { model, promptTokens, maxTokens, cache } = request;
  const tiers = tiersOf(model, table);
  if (tiers === undefined) return null;
  const costs = tiers
    .filter((_, index) => promptTokens > (tiers[index - 1]?.upTo ?? -1))
    .map((tier) => {
      const prompt = Math.min(promptTokens, tier.upTo ?? promptTokens);
      const write = cache === '1h' ? (tier.cacheWriteHour ?? 2 * tier.input) : tier.cacheWrite;
      const dearest = Math.max(tier.input, write, tier.cacheRead);
      return Math.ceil((prompt * dearest + maxTokens * tier.output) / MICRO);
    });
  return Math.max(...costs);
}

/** All tokens of a reply and its prompt. */
export function tokensOf(usage: Usage): number {
  return usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
}

/** Returns true when a dollar budget can be kept for the model. */
export function priceKnown(model: string, table: PriceTable = PRICES): boolean {
  return tiersOf(model, table) !== undefined;
}

/** More tokens than the text can have: no tokenizer in use makes more than one of each UTF-8 byte. */
export function tokensUpper(...texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

/** The price of a model, which a campaign is frozen with; null where none is known. */
export function modelPrice(model: string, table: PriceTable): ModelPrice | null {
  return table.models.get(model) ?? table.models.get(model.replace(/-\d{8}$/, '')) ?? null;
}

/** The prices that a campaign spends by: its own, or for a model that had none at its start, those of the worker. */
export function pricesOf(frozen: FrozenModels, table: PriceTable): PriceTable {
  const own = allModels(frozen).flatMap(({ id, price }) => (price === null ? [] : [[id, price] as const]));
  return { models: new Map([...table.models, ...own]) };
}

function tiersOf(model: string, table: PriceTable): readonly PriceTier[] | undefined {
  return modelPrice(model, table)?.tiers;
}
