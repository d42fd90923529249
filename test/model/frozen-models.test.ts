import { describe, expect, it } from 'vitest';
import { requirePrices } from '../../activities/limits.js';
import { campaignInputSchema } from '../../src/domain/campaign/campaign.js';
import { allModels, type FrozenModels } from '../../src/domain/session/model-settings.js';
import { frozenModels } from '../../src/model/frozen-models.js';
import { PRICES } from '../../src/model/pricing.js';

const LANES = [{ role: 'opt', lane: 'opt-1' }];
const frozen = (fields: object): FrozenModels =>
  frozenModels(campaignInputSchema.parse({ task: 't', ...fields }), LANES, {
    defaultModel: 'claude-opus-5-5',
    prices: PRICES,
  });

describe('the models of a campaign', () => {
  it('are one by default, with what the campaign says', () => {
    const of = frozen({ effort: 'high', thinking: 'off', window: 100_000 });
    expect(of.model).toEqual({ id: 'claude-opus-5-5', offline: false });
    expect(of.models).toMatchObject([
      { effort: 'high', thinking: 'off', maxTokens: 32_000, window: 100_000, weight: 1 },
    ]);
    expect(of.price).toEqual(PRICES.models.get('claude-opus-5-5'));
  });

  it('have their own settings, and those of roles', () => {
    const of = frozen({
      models: ['claude-opus-5-5', { id: 'b', weight: 2, maxTokens: 5000 }],
      roleModels: { opt: [{ id: 'claude-haiku-5-5', effort: 'low' }] },
    });
    expect(allModels(of)).toMatchObject([
      { id: 'claude-opus-5-5', weight: 1, maxTokens: 32_000 },
      { id: 'b', weight: 2, maxTokens: 5000, price: null },
      { id: 'claude-haiku-5-5', effort: 'low' },
    ]);
    expect(() => requirePrices(allModels(of), PRICES)).toThrow(/none is known for the model "b"/);
  });

  it('are refused for a role without a lane', () => {
    expect(() => frozen({ roleModels: { arch: ['a'] } })).toThrow(
      expect.objectContaining({
        code: 'CAMPAIGN_INPUT',
        message: expect.stringContaining('the roles are opt') as string,
      }),
    );
  });

  it.each([
    [{ model: 'a', models: ['b'] }],
    [{ models: [] }],
    [{ models: [{ id: 'a', weight: 0 }] }],
    [{ models: [{ id: 'a', price: 3 }] }],
    [{ effort: 'huge' }],
    [{ thinking: 'on' }],
    [{ window: 10 }],
    [{ maxTokens: 200_000 }],
    [{ sessionTrials: 0 }],
    [{ contextShare: 1 }],
  ])('are refused as %j', (fields) => {
    expect(campaignInputSchema.safeParse({ task: 't', ...fields }).success).toBe(false);
  });
});
