import Anthropic from '@anthropic-ai/sdk';
import { z } from 'zod';
import {
  replySchema,
  toolUses,
  type Exchange,
  type Reply,
  type ReplyBlock,
  type Usage,
} from '../domain/session/conversation.js';
import { AssayError } from '../domain/errors.js';
import { ModelFault, modelFaultOf } from './model-fault.js';
import { proxiedFetch } from './proxied-fetch.js';

export { ModelFault } from './model-fault.js';

/** Address of a Messages API; without a base URL, the vendor's. The key is never logged or stored. */
export interface Endpoint {
  baseUrl?: string;
  apiKey: string;
}

export type Effort = 'low' | 'medium' | 'high' | 'xhigh' | 'max';

export interface TurnRequest {
  model: string;
  system: string;
  messages: Anthropic.MessageParam[];
  tools: Anthropic.ToolUnion[];
  /** Tokens of the reply, thinking included. */
  maxTokens: number;
  /** Only current Claude models are told. */
  effort?: Effort;
}

export interface TurnOptions {
  signal: AbortSignal;
  /** Called whenever something of the reply arrives, keep-alives included: a sign of life, for heartbeats. */
  onEvent: () => void;
}

/**
 * One turn of a model: one request, never repeated here, streamed so that long replies do not run into HTTP timeouts.
 * Throws ModelFault: MODEL_OVERLOADED and MODEL_UNREACHABLE may be tried again, MODEL_REQUEST_REFUSED may not.
 * An aborted signal's reason is rethrown.
 */
export async function requestTurn(
  endpoint: Endpoint,
  request: TurnRequest,
  options: TurnOptions,
): Promise<Reply> {
  options.signal.throwIfAborted();
  const received = { bytes: 0 };
  const client = new Anthropic({
    apiKey: endpoint.apiKey,
    authToken: null,
    ...(endpoint.baseUrl === undefined ? {} : { baseURL: endpoint.baseUrl }),
    maxRetries: 0,
    logLevel: 'off',
    fetch: async (input, init) => observed(await proxiedFetch(input, init), received, options.onEvent),
  });
  let message: unknown;
  try {
    message = await client.messages.stream(paramsOf(request), { signal: options.signal }).finalMessage();
  } catch (error) {
    options.signal.throwIfAborted();
    throw received.bytes > MOST_RECEIVED ? tooLong(MOST_RECEIVED) : modelFaultOf(error, endpoint.apiKey);
  }
  return replyOf(message);
}

/** Bytes of a stream that are read; the longest reply that may be asked for comes in a third of them. */
const MOST_RECEIVED = 64 * 1024 * 1024;
/** Bytes of a reply that is stored: half of what one document may have. */
const MOST_STORED = 8 * 1024 * 1024;

const tooLong = (bytes: number): ModelFault =>
  new ModelFault('MODEL_REQUEST_REFUSED', `The endpoint's reply is longer than ${bytes} bytes`, null, true);

/**
 * The SDK swallows keep-alives, which are all that comes while a model thinks unseen; so the bytes are watched. An
 * endpoint that never ends its reply is not listened to for ever.
 */
function observed(response: Response, received: { bytes: number }, onEvent: () => void): Response {
  if (response.body === null || !response.ok) return response;
  const watch = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      onEvent();
      received.bytes += chunk.byteLength;
      if (received.bytes > MOST_RECEIVED) controller.error(tooLong(MOST_RECEIVED));
      else controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(watch), { status, statusText, headers });
}

function paramsOf(request: TurnRequest): Anthropic.MessageStreamParams {
  const thinks = thinksAdaptively(request.model);
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    system: [{ type: 'text', text: request.system, cache_control: { type: 'ephemeral' } }],
    tools: request.tools,
    messages: withCacheMarks(request.messages),
    ...(thinks ? { thinking: { type: 'adaptive' } } : {}),
    ...(thinks && request.effort !== undefined ? { output_config: { effort: request.effort } } : {}),
  };
}

/** Claude from 4.6 on; older ones and other vendors' models answer the parameter with an error. */
export function thinksAdaptively(model: string): boolean {
  return (
    /^claude-/.test(model) &&
    !/^claude-(?:[123]|instant|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-\d{8})?$)/.test(model)
  );
}

/**
 * Marks where the provider's cache may end: after the system prompt (which includes the tools), and after the last
 * two messages of ours, so that a turn with very many blocks still finds the one before it.
 */
function withCacheMarks(messages: readonly Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const ours = messages.flatMap((message, index) => (message.role === 'user' ? [index] : [])).slice(-2);
  return messages.map((message, index) => {
    if (message.role !== 'user' || !ours.includes(index)) return message;
    const blocks: Anthropic.ContentBlockParam[] =
      typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
    return {
      ...message,
      content: blocks.map((block, at) => (at === blocks.length - 1 ? marked(block) : block)),
    };
  });
}

function marked(block: Anthropic.ContentBlockParam): Anthropic.ContentBlockParam {
  if (block.type !== 'text' && block.type !== 'tool_result') return block;
  return { ...block, cache_control: { type: 'ephemeral' } };
}

const count = z.number().int().nonnegative().nullish();
const messageSchema = z.looseObject({
  id: z.string(),
  model: z.string(),
  content: z.array(z.unknown()),
  stop_reason: z.string().nullish(),
  usage: z.looseObject({
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    cache_creation_input_tokens: count,
    /** The same by how long it is kept. */
    cache_creation: z
      .looseObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
      .nullish(),
    server_tool_use: z.looseObject({ web_search_requests: count }).nullish(),
  }),
});

/** A message of the API as the reply that assay stores. */
function replyOf(message: unknown): Reply {
  // The SDK's blocks may carry getters; what is stored is plain JSON.
  const text = JSON.stringify(message);
  if (Buffer.byteLength(text) > MOST_STORED) throw tooLong(MOST_STORED);
  const plain: unknown = JSON.parse(text);
  const parsed = messageSchema.transform(({ id, model, content, stop_reason: reason, usage }) => ({
    id,
    model,
    content,
    stopReason: reason ?? 'unknown',
    usage: usageOf(usage),
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

function usageOf(usage: z.infer<typeof messageSchema>['usage']): Usage {
  const { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: hour } = usage.cache_creation ?? {};
  const searches = usage.server_tool_use?.web_search_requests ?? 0;
  return {
    inputTokens: usage.input_tokens ?? 0,
    outputTokens: usage.output_tokens ?? 0,
    cacheReadTokens: usage.cache_read_input_tokens ?? 0,
    cacheWriteTokens: usage.cache_creation_input_tokens ?? (short ?? 0) + (hour ?? 0),
    ...(hour == null || hour === 0 ? {} : { cacheWriteHourTokens: hour }),
    ...(searches === 0 ? {} : { webSearches: searches }),
  };
}

const NUDGE = 'You called no tool. Continue with a tool call, or end the session with finish.';

/** Passes a block back as it came: a block of a stored reply is a block of a request. */
const sentBack = z.custom<Anthropic.ContentBlockParam>(
  (block) => replySchema.shape.content.element.safeParse(block).success,
);

/**
 * The conversation so far as the Messages API wants it: every tool call answered, in its order, in the next message,
 * and the last word ours.
 */
export function messagesOf(opening: string, exchanges: readonly Exchange[]): Anthropic.MessageParam[] {
  return [
    { role: 'user', content: [{ type: 'text', text: opening }] },
    ...exchanges.flatMap(({ reply, answers }): Anthropic.MessageParam[] => {
      const said = reply.content.filter(isSendable);
      const results = toolUses(reply).map((use): Anthropic.ToolResultBlockParam => {
        const answer = answers.find(({ toolUseId }) => toolUseId === use.id);
        return {
          type: 'tool_result',
          tool_use_id: use.id,
          content: answer?.text ?? 'This call was not carried out.',
          is_error: answer?.isError ?? true,
        };
      });
      const ours: Anthropic.MessageParam = {
        role: 'user',
        content: results.length > 0 ? results : [{ type: 'text', text: NUDGE }],
      };
      // A message may not be empty, nor consist of thinking alone.
      const spoke = said.some((block) => block.type === 'text' || block.type === 'tool_use');
      return spoke
        ? [{ role: 'assistant', content: said.map((block) => sentBack.parse(block)) }, ours]
        : [ours];
    }),
  ];
}

/** The API refuses blank text, though a model may say it. */
function isSendable(block: ReplyBlock): boolean {
  return !(
    block.type === 'text' &&
    'text' in block &&
    typeof block.text === 'string' &&
    block.text.trim() === ''
  );
}
