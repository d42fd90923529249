import { z } from 'zod';

const block = z.looseObject({ type: z.string() });
const index = z.number().int().nonnegative();

/** Events of a stream that build its message; all others are passed over, as the API asks of its readers. */
const eventSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('message_start'),
    message: z.looseObject({ content: z.array(z.unknown()), usage: z.looseObject({}) }),
  }),
  z.looseObject({ type: z.literal('content_block_start'), index, content_block: block }),
  z.looseObject({ type: z.literal('content_block_delta'), index, delta: block }),
  z.looseObject({ type: z.literal('content_block_stop'), index }),
  z.looseObject({
    type: z.literal('message_delta'),
    delta: z.looseObject({ stop_reason: z.string().nullish() }),
    usage: z.looseObject({}).nullish(),
  }),
]);

/** Kinds of delta that append to a text of their block, by the field that is appended to. */
const APPENDED: Readonly<Record<string, string>> = {
  text_delta: 'text',
  thinking_delta: 'thinking',
  signature_delta: 'signature',
};
/** Characters of an input that is no JSON which are kept, for the model to see what it wrote. */
const LONGEST_MALFORMED = 2000;
/** Field of a tool's input in place of one that was no JSON: it must be an object where it is sent back. */
export const MALFORMED_INPUT = 'malformed_json';

type Block = z.infer<typeof block>;

/**
 * Puts a message together from the events of its stream. It is whole once its stop reason has come, even if the
 * connection ends before the last event does.
 */
export class StreamedMessage {
  private head: Record<string, unknown> | null = null;
  private usage: Record<string, unknown> = {};
  private stopReason: string | null = null;
  private readonly blocks: Block[] = [];
  private readonly inputs = new Map<number, string>();

  see(raw: unknown): void {
    const event = eventSchema.safeParse(raw).data;
    if (event === undefined) return;
    if (event.type === 'message_start') {
      this.head = event.message;
      this.usage = event.message.usage;
    } else if (event.type === 'content_block_start') this.blocks[event.index] = { ...event.content_block };
    else if (event.type === 'content_block_delta') this.append(event.index, event.delta);
    else if (event.type === 'message_delta') {
      this.stopReason = event.delta.stop_reason ?? this.stopReason;
      const told = Object.entries(event.usage ?? {}).filter(([, value]) => value !== null);
      this.usage = { ...this.usage, ...Object.fromEntries(told) };
    }
  }

  /** The message; null while it is not whole. */
  whole(): unknown {
    if (this.head === null || this.stopReason === null) return null;
    const content = this.blocks.map((one, at) => ({ ...one, ...this.inputOf(at) }));
    return { ...this.head, content, stop_reason: this.stopReason, usage: this.usage };
  }

  private append(at: number, delta: Block): void {
    const one = this.blocks[at];
    if (one === undefined) return;
    if (delta.type === 'input_json_delta')
      this.inputs.set(at, `${this.inputs.get(at) ?? ''}${textIn(delta, 'partial_json')}`);
    else if (delta.type === 'citations_delta')
      one['citations'] = [...listIn(one, 'citations'), delta['citation']];
    const field = APPENDED[delta.type];
    if (field !== undefined) one[field] = `${textIn(one, field)}${textIn(delta, field)}`;
  }

  /** The input of a tool from its pieces; left as it was announced where there are none. */
  private inputOf(at: number): { input?: unknown } {
    const text = this.inputs.get(at);
    if (text === undefined || text.trim() === '') return {};
    try {
      return { input: JSON.parse(text) };
    } catch {
      return { input: { [MALFORMED_INPUT]: text.slice(0, LONGEST_MALFORMED) } };
    }
  }
}

function textIn(of: Block, field: string): string {
  const value = of[field];
  return typeof value === 'string' ? value : '';
}

function listIn(of: Block, field: string): unknown[] {
  const value = of[field];
  return Array.isArray(value) ? value : [];
}
