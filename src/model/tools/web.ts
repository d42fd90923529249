import type Anthropic from '@anthropic-ai/sdk';
import type { ToolOffer } from './tool.js';

/** Searches, and pages fetched, in one request. */
const MOST_WEB_USES = 5;
/** Tokens of a fetched page that reach the model. */
const PAGE_TOKENS = 20_000;

/** Web tools that the provider carries out, for a campaign that allows outside knowledge. */
export function webTools({ donors = [] }: ToolOffer): Anthropic.ToolUnion[] {
  if (donors.length === 0) return [];
  const where = donors === 'any' ? {} : { allowed_domains: [...donors] };
  return [
    { type: 'web_search_20260318', name: 'web_search', max_uses: MOST_WEB_USES, ...where },
    {
      ...{ type: 'web_fetch_20260318', name: 'web_fetch', max_uses: MOST_WEB_USES },
      ...{ max_content_tokens: PAGE_TOKENS, ...where },
    },
  ];
}

/** The most that web tools add to one request: tokens that it reads, each once, and searches. */
export function webBound({ donors = [] }: Pick<ToolOffer, 'donors'>): { tokens: number; searches: number } {
  const uses = donors.length === 0 ? 0 : MOST_WEB_USES;
  return { tokens: 2 * uses * PAGE_TOKENS, searches: uses };
}
