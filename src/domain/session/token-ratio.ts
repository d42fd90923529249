import type { Usage } from './conversation.js';

/** No tokenizer in use is outside of this on prompts of code and English. */
const LEAST = 2;
const MOST = 6;
/** Tokens below which a count says nothing of the ratio: an endpoint that counts badly, or a prompt that is all frame. */
const LEAST_COUNTED = 500;

/** Characters of a prompt for each token that its provider counted; null where it counted none worth the name. */
export function charactersPerToken(
  characters: number,
  { inputTokens, cacheReadTokens, cacheWriteTokens }: Usage,
): number | null {
  const counted = inputTokens + cacheReadTokens + cacheWriteTokens;
  return counted < LEAST_COUNTED ? null : Math.min(MOST, Math.max(LEAST, characters / counted));
}
