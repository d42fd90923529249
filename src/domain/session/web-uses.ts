import { z } from 'zod';
import type { Reply } from './conversation.js';

/** One use of a web tool that the provider carried out, with the addresses that it brought. */
export interface WebUse {
  tool: 'web_search' | 'web_fetch';
  /** The words that were sought, or the address that was asked for. */
  asked: string;
  addresses: string[];
}

const useBlock = z.object({
  type: z.literal('server_tool_use'),
  id: z.string(),
  name: z.enum(['web_search', 'web_fetch']),
  input: z.object({ query: z.string().optional(), url: z.string().optional() }).catch({}),
});
const page = z.object({ url: z.string() });
const resultBlock = z.object({
  type: z.enum(['web_search_tool_result', 'web_fetch_tool_result']),
  tool_use_id: z.string(),
  /** An error has another shape, and no address. */
  content: z.union([z.array(page), page.transform((one) => [one])]).catch([]),
});

/** Lists what the provider's web tools were asked for in a reply, in its order. */
export function webUses({ content }: Pick<Reply, 'content'>): WebUse[] {
  const results = content.flatMap((block) => resultBlock.safeParse(block).data ?? []);
  return content.flatMap((block) => {
    const use = useBlock.safeParse(block).data;
    if (use === undefined) return [];
    const { id, name: tool, input } = use;
    const found = results.filter((result) => result.tool_use_id === id);
    const addresses = found.flatMap((result) => result.content.map(({ url }) => url));
    return [{ tool, asked: input.query ?? input.url ?? '', addresses }];
  });
}
