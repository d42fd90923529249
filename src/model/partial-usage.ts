import { z } from 'zod';
import type { Usage } from '../domain/session/conversation.js';
import type { CacheTime } from '../domain/session/cache-time.js';
import { usageOf, wireUsageSchema } from './parse-reply.js';

const eventSchema = z.looseObject({
  type: z.string(),
  message: z.looseObject({ usage: wireUsageSchema }).optional().catch(undefined),
  usage: wireUsageSchema.optional().catch(undefined),
  content_block: z.looseObject({ type: z.string() }).optional().catch(undefined),
  delta: z.looseObject({}).optional().catch(undefined),
});

/** Fields of a delta whose text was written by the model. */
const WRITTEN = ['text', 'partial_json'];

/** Counts what a stream has said of its own cost, for a reply that breaks off. */
export class PartialUsage {
  private usage: z.infer<typeof wireUsageSchema> | null = null;
  private final = false;
  private hidden = false;
  private bytes = 0;

  constructor(
    private readonly maxTokens: number,
    private readonly cache: CacheTime,
  ) {}

  /** Takes note of one event of the stream, whatever it is. */
  see(raw: unknown): void {
    const event = eventSchema.safeParse(raw).data;
    if (event === undefined) return;
    if (event.type === 'message_start') this.usage = event.message?.usage ?? null;
    // thinking is charged in full, and shown in part or not at all
    if (event.content_block !== undefined && !['text', 'tool_use'].includes(event.content_block.type))
      this.hidden = true;
    for (const field of WRITTEN) {
      const text = event.delta?.[field];
      if (typeof text === 'string') this.bytes += Buffer.byteLength(text);
    }
    if (event.type === 'message_delta' && event.usage?.output_tokens != null) {
      this.final = true;
      this.usage = { ...this.usage, ...event.usage };
    }
  }

  /**
   * The usage at most, as far as the events tell; null where the stream never began. The prompt is as the provider
   * counted it; the reply is as it counted it, else no more than a token for each byte that arrived, and after hidden
   * parts no more than was asked for.
   */
  most(): Usage | null {
    if (this.usage === null) return null;
    const told = usageOf(this.usage, this.cache);
    if (this.final) return told;
    const written = this.hidden
      ? this.maxTokens
      : Math.min(this.maxTokens, Math.max(told.outputTokens, this.bytes));
    return { ...told, outputTokens: written };
  }
}
