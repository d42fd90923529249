import { expect, it } from 'vitest';
import { modelCosts } from '../../src/analysis/statistics/model-costs.js';
import type { LedgerDocument } from '../../src/lineage/documents/ledger.js';

const SESSION = 'o/opt-1/0';
const frozen = {
  ...{ model: { id: 'one', offline: false }, price: null, maxTokens: 1, models: [], roleModels: {} },
};
const request = (key: string, microUsd: number, more: Partial<LedgerDocument> = {}): LedgerDocument => ({
  ...{ _id: key, owner: 'o', what: 'model', role: 'opt', trial: null, certainty: 'known' },
  reserved: { microUsd: 0, acceleratorMs: 0, tokens: 0 },
  spent: { microUsd, acceleratorMs: 0, tokens: 1 },
  ...{ hold: null, saved: null, at: new Date(0), ...more },
});
const usage = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 80, cacheWriteTokens: 10 };

it('divides what requests cost by role and model, with what came from the cache', () => {
  const rows = [
    request(`${SESSION}/0/1`, 30),
    request(`${SESSION}/0/2`, 0, { certainty: 'unpaid' }),
    request(`${SESSION}/1/1`, 20, { certainty: 'estimated' }),
    request('o/arch-1/0/0/1', 7, { role: 'arch' }),
    request('o/train', 99, { what: 'train' }),
  ];
  const replies = [
    { session: SESSION, usage },
    { session: SESSION, usage: null },
  ];
  const { byRole, byModel } = modelCosts({ frozen, rows, replies, trials: [], decisions: [] });
  expect(byRole).toMatchObject([
    { of: 'opt', requests: 2, microUsd: 50, promptTokens: 100, cachedTokens: 80, microUsdPerGain: null },
    { of: 'arch', requests: 1, microUsd: 7, promptTokens: 0, cachedTokens: 0 },
  ]);
  expect(byModel).toMatchObject([{ of: 'one', requests: 3, microUsd: 57 }]);
});
