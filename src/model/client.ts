import Anthropic from '@anthropic-ai/sdk';
import type { Reply } from '../domain/session/conversation.js';
import type { Effort, Thinking } from '../domain/session/model-settings.js';
import type { CacheTime } from '../domain/session/cache-time.js';
import { cacheMark, withCacheMarks } from './messages.js';
import { brokenOff, modelFaultOf, tooLong } from './model-fault.js';
import { parseReply } from './parse-reply.js';
import { PartialUsage } from './partial-usage.js';
import { StreamedMessage } from './streamed-message.js';
import { proxiedFetch } from './proxied-fetch.js';

export { ModelFault } from './model-fault.js';

/** Address of a Messages API; without a base URL, the vendor's. The key is never logged or stored. */
export interface Endpoint {
  baseUrl?: string;
  apiKey: string;
  /** Header that carries the key; default: `bearer`. */
  auth?: AuthHeader;
}

/** `bearer`: Authorization; `x-api-key`: a header of that name, the only one that some endpoints read. */
export type AuthHeader = 'bearer' | 'x-api-key';

export interface TurnRequest {
  model: string;
  /** Blocks of the system prompt, each cached up to its end; at most two. */
  system: readonly string[];
  messages: Anthropic.MessageParam[];
  tools: Anthropic.ToolUnion[];
  /** Tokens of the reply, thinking included. */
  maxTokens: number;
  /** Only current Claude models are told. */
  effort?: Effort;
  /** Default: adaptive, where the model can. */
  thinking?: Thinking;
  /** Default: five minutes. */
  cache?: CacheTime;
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
  const partial = new PartialUsage(request.maxTokens, request.cache ?? '5m');
  const client = new Anthropic({
    apiKey: endpoint.apiKey,
    authToken: null,
    ...(endpoint.auth === 'x-api-key'
      ? { defaultHeaders: { authorization: null, 'x-api-key': endpoint.apiKey } }
      : {}),
    ...(endpoint.baseUrl === undefined ? {} : { baseURL: endpoint.baseUrl }),
    maxRetries: 0,
    logLevel: 'off',
    fetch: async (input, init) => observed(await proxiedFetch(input, init), received, options.onEvent),
  });
  const message = new StreamedMessage();
  try {
    const stream = await client.messages.create(paramsOf(request), { signal: options.signal });
    for await (const event of stream) {
      partial.see(event);
      message.see(event);
    }
    if (message.whole() === null) throw brokenOff();
  } catch (error) {
    options.signal.throwIfAborted();
    // a reply that has arrived whole is kept, whatever becomes of its connection
    const whole = message.whole();
    if (whole !== null) return parseReply(whole, request.cache ?? '5m');
    const fault =
      received.bytes > MOST_RECEIVED ? tooLong(MOST_RECEIVED) : modelFaultOf(error, endpoint.apiKey);
    throw fault.maybePaid ? fault.withUsage(partial.most()) : fault;
  }
  return parseReply(message.whole(), request.cache ?? '5m');
}

/** Bytes of a stream that are read; the longest reply that may be asked for comes in a third of them. */
const MOST_RECEIVED = 64 * 1024 * 1024;
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

function paramsOf(request: TurnRequest): Anthropic.MessageCreateParamsStreaming {
  const { cache = '5m', effort } = request;
  const able = thinksAdaptively(request.model);
  const thinks = able && request.thinking !== 'off';
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    stream: true,
    system: request.system.map((text) => ({ type: 'text', text, cache_control: cacheMark(cache) })),
    tools: request.tools,
    messages: withCacheMarks(request.messages, cache),
    ...(thinks ? { thinking: { type: 'adaptive' } } : {}),
    ...(able && effort !== undefined ? { output_config: { effort } } : {}),
  };
}

/** Claude from 4.6 on; older ones and other vendors' models answer the parameter with an error. */
export function thinksAdaptively(model: string): boolean {
  return (
    /^claude-/.test(model) &&
    !/^claude-(?:[123]|instant|(?:opus|sonnet|haiku)-4(?:-[0-5])?(?:-\d{8})?$)/.test(model)
  );
}
