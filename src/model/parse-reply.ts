import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import { replySchema, type Reply, type Usage } from '../domain/session/conversation.js';
import type { CacheTime } from '../domain/session/cache-time.js';
import { tooLong } from './model-fault.js';

/** Bytes of a reply that is stored: half of what one document may have. */
const MOST_STORED = 8 * 1024 * 1024;

const count = z.number().int().nonnegative().nullish();
export const wireUsageSchema = z.looseObject({
  input_tokens: count,
  output_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  /** The same by how long it is kept. */
  cache_creation: z
    .looseObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
    .nullish(),
  server_tool_use: z.looseObject({ web_search_requests: count }).nullish(),
});
const messageSchema = z.looseObject({
  id: z.string(),
  model: z.string(),
  content: z.array(z.unknown()),
  stop_reason: z.string().nullish(),
  usage: wireUsageSchema,
});

/** A message of the API as the reply that assay stores. */
export function parseReply(message: unknown, cache: CacheTime): Reply {
  // The SDK's blocks may carry getters; what is stored is plain JSON.
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) > MOST_STORED) throw tooLong(MOST_STORED);
  const plain: unknown = JSON.parse(text);
  const parsed = messageSchema.transform(({ id, model, content, stop_reason: reason, usage }) => ({
    id,
    model,
    content,
    stopReason: reason ?? 'unknown',
    usage: usageOf(usage, cache),
  }));
  const reply = parsed.pipe(replySchema).safeParse(plain);
  if (reply.success) return reply.data;
  throw new AssayError(
    'MODEL_REQUEST_REFUSED',
    `The endpoint's reply is no message: ${z.prettifyError(reply.error)}`,
    {
      remedy: 'Use an endpoint that speaks the Messages API.',
    },
  );
}

/** The usage of a reply; where an endpoint does not say how long it keeps what it wrote, as long as was asked for. */
export function usageOf(usage: z.infer<typeof wireUsageSchema>, cache: CacheTime): Usage {
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: told } = usage.cache_creation ?? {};
  const written = usage.cache_creation_input_tokens ?? (short ?? 0) + (told ?? 0);
  const hour = usage.cache_creation == null && cache === '1h' ? written : told;
  const searches = usage.server_tool_use?.web_search_requests ?? 0;
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: written,
    ...(hour == null || hour === 0 ? {} : { cacheWriteHourTokens: hour }),
    ...(searches === 0 ? {} : { webSearches: searches }),
  };
}
