import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modelPriceSchema } from '../../src/domain/money/price.js';
import {
  OFFLINE_MODEL,
  modelPrice,
  priceKnown,
  priceOf,
  PRICES,
  pricesOf,
  searchesUpper,
  tokensUpper,
  upperBound,
  withPrices,
} from '../../src/model/pricing.js';

const usage = (input: number, output: number, read = 0, write = 0): Parameters<typeof priceOf>[1] => ({
  inputTokens: input,
  outputTokens: output,
  cacheReadTokens: read,
  cacheWriteTokens: write,
});
const MILLION = 1_000_000;

describe('prices', () => {
  it.each([
    ['claude-opus-5-5', usage(MILLION, MILLION, MILLION, MILLION), 4 + 20 + 0.2 + 5],
    ['claude-opus-5-5', { ...usage(0, 0, 0, MILLION), cacheWriteHourTokens: MILLION / 4 }, 3.75 + 2],
    ['claude-fable-5-2', usage(MILLION, MILLION, MILLION, MILLION), 8 + 40 + 0.2 + 10],
    ['claude-fable-5-1', usage(MILLION, 0, MILLION), 10 + 0.25],
    ['claude-opus-4-5-20251101', usage(MILLION, MILLION, MILLION), 5 + 25 + 0.5],
    ['claude-sonnet-5-5', usage(MILLION, MILLION, MILLION), 2 + 10 + 0.1],
    ['claude-sonnet-5', usage(MILLION, MILLION, MILLION), 2 + 10 + 0.2],
    ['claude-haiku-4-5-20251001', usage(MILLION, MILLION), 1 + 5],
    ['claude-haiku-5-5', usage(50_000, MILLION, 50_000), 0.005 + 0.0005 + 0.5],
    ['claude-haiku-5-5', usage(50_000, MILLION, 50_001), 0.025 + 0.00250005 + 2.5],
    [OFFLINE_MODEL, usage(MILLION, MILLION), 0],
  ])('%s costs what its vendor asks', (model, used, dollars) => {
    expect(priceOf(model, used)).toBe(Math.ceil(Number((dollars * MILLION).toFixed(3))));
  });

  it('round up, and are null where none is known', () => {
    expect(priceOf('claude-opus-5-5', usage(1, 0))).toBe(4);
    expect(priceOf('claude-haiku-5-5', usage(1, 0))).toBe(1);
    expect(priceOf('claude-sonnet-4-5', usage(1, 1))).toBeNull();
    expect(
      upperBound({ model: 'someone-elses-model', promptTokens: 10, maxTokens: 10, cache: '5m' }),
    ).toBeNull();
    expect(priceKnown('claude-sonnet-4-5')).toBe(false);
    for (const { asOf, source } of PRICES.models.values())
      expect([asOf, source]).toEqual([
        expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        expect.stringMatching(/./),
      ]);
  });

  it('never exceed the reservation made for them', () => {
    const models = fc.constantFrom(...PRICES.models.keys());
    const count = fc.nat(300_000);
    fc.assert(
      fc.property(
        models,
        fc.tuple(count, count, count, count),
        fc.constantFrom('5m', '1h'),
        (model, tokens, cache) => {
          const [input, read, write, output] = tokens;
          const bound =
            upperBound({ model, promptTokens: input + read + write, maxTokens: output, cache }) ?? -1;
          const hour = cache === '1h' ? { cacheWriteHourTokens: write } : {};
          const used = { ...usage(input, output, read, write), ...hour };
          expect(priceOf(model, used)).toBeLessThanOrEqual(bound);
          expect(bound).toSatisfy(Number.isSafeInteger);
        },
      ),
    );
    expect(tokensUpper('é', 'ab')).toBe(4);
  });

  it('of web searches are counted where the table has one, and not where it has none', () => {
    const searched = { ...usage(0, 0), webSearches: 3 };
    expect(priceOf('claude-opus-5-5', searched)).toBe(0);
    expect(searchesUpper('claude-opus-5-5', 5)).toBe(0);
    const tiers = [{ input: 1, output: 1, webSearch: 8 }];
    const table = withPrices({
      asOf: '2026-11-01',
      source: 'a contract',
      models: { 'claude-opus-5-5': tiers },
    });
    expect(priceOf('claude-opus-5-5', searched, table)).toBe(24_000);
    expect(searchesUpper('claude-opus-5-5', 5, table)).toBe(40_000);
  });

  it('of a write for an hour are twice those of the input, also where a campaign was frozen without them', () => {
    const hour = { ...usage(0, 0, 0, MILLION), cacheWriteHourTokens: MILLION };
    const given = { input: 3, output: 0, cacheWriteHour: 4 };
    const table = (tier: object) => withPrices({ asOf: '2026-12-01', source: 's', models: { mine: [tier] } });
    expect(priceOf('mine', hour, table({ input: 3, output: 0 }))).toBe(6 * MILLION);
    expect(priceOf('mine', hour, table(given))).toBe(4 * MILLION);
    const old = { upTo: null, input: 3 * MILLION, output: 0, cacheRead: 0, cacheWrite: 1 };
    const price = modelPriceSchema.parse({ asOf: '2026-01-01', source: 's', tiers: [old] });
    expect(priceOf('mine', hour, { models: new Map([['mine', price]]) })).toBe(6 * MILLION);
  });

  it('can be replaced from a file, and a malformed file is named', () => {
    const table = withPrices({
      asOf: '2026-12-01',
      source: 'a contract',
      models: {
        mine: [
          { input: 1, output: 2, upTo: 10 },
          { input: 3, output: 6 },
        ],
      },
    });
    expect(priceOf('mine', usage(10, 0), table)).toBe(10);
    expect(priceOf('mine', usage(11, 0), table)).toBe(33);
    expect(priceOf('claude-sonnet-5-5', usage(1, 0), table)).toBe(2);
    expect(modelPrice('mine', table)).toMatchObject({ asOf: '2026-12-01', source: 'a contract' });
    expect(modelPrice('claude-sonnet-5-5', table)).toEqual(modelPrice('claude-sonnet-5-5', PRICES));
    const descending = {
      asOf: '2026-12-01',
      source: 'a contract',
      models: {
        mine: [
          { input: 1, output: 1 },
          { input: 1, output: 1, upTo: 9 },
        ],
      },
    };
    const nowhere = { asOf: '2026-12-01', models: {} };
    const undated = { asOf: 'today', source: 'a contract', models: {} };
    for (const wrong of [descending, {}, undated, nowhere, { ...nowhere, source: ' ' }, null])
      expect(() => withPrices(wrong)).toThrow(expect.objectContaining({ code: 'PRICES_INVALID' }));
  });

  it('of a campaign stay what they were when it was frozen', () => {
    const mine = (dollars: number) =>
      withPrices({
        asOf: '2026-12-01',
        source: 's',
        models: { mine: [{ input: dollars, output: dollars }] },
      });
    const frozen = {
      model: { id: 'mine', offline: false },
      price: modelPrice('mine', mine(1)),
      maxTokens: 1,
      models: [],
      roleModels: {},
    };
    expect(priceOf('mine', usage(1, 0), pricesOf(frozen, mine(7)))).toBe(1);
    expect(priceOf('mine', usage(1, 0), pricesOf({ ...frozen, price: null }, mine(7)))).toBe(7);
    expect(priceOf('mine', usage(1, 0), pricesOf({ ...frozen, price: null }, PRICES))).toBeNull();
  });
});
