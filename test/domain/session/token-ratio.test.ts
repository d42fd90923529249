import { expect, it } from 'vitest';
import { charactersPerToken } from '../../../src/domain/session/token-ratio.js';

const usage = (inputTokens: number, cacheReadTokens = 0, cacheWriteTokens = 0) => ({
  ...{ inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens: 9 },
});

it.each([
  ['as the provider counted them', 12_000, usage(3000), 4],
  ['those of the cache included', 12_000, usage(100, 2900, 1000), 3],
  ['not less than any tokenizer makes of such text', 12_000, usage(40_000), 2],
  ['nor more', 12_000, usage(600), 6],
  ['not known where nothing is counted', 12_000, usage(0), null],
  ['not known of a handful', 12_000, usage(499), null],
])('characters of a token are %s', (_, characters, counted, ratio) => {
  expect(charactersPerToken(characters, counted)).toBe(ratio);
});
