import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { sha256 } from '../domain/digest.js';
import { AssayError, messageOf } from '../domain/errors.js';
import { OFFLINE_MODEL } from './pricing.js';
import { propose } from './proposer/propose.js';
import { messagesRequestSchema, readConversation, type MessagesRequest } from './proposer/request.js';
import { streamMessage, writeError, writeMessage, type WireMessage } from './wire.js';

export interface OfflineProposer {
  /** Base URL of the Messages API it speaks. */
  url: string;
  stop: () => Promise<void>;
}

const MAX_BODY = 32 * 1024 * 1024;

/**
 * Starts the offline proposer: a Messages API on this machine whose one model, `offline-proposer`, turns the marked
 * knobs of a recipe. It keeps nothing between requests, so it may be restarted at any time. `port` 0 takes a free one.
 */
export async function startOfflineProposer(port = 0): Promise<OfflineProposer> {
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else writeError(response, 500, 'api_error', messageOf(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new AssayError('INTERNAL', 'a server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Refusal {
  status: number;
  type: string;
  message: string;
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const replied = await replyTo(request);
  if ('status' in replied) writeError(response, replied.status, replied.type, replied.message);
  else if (replied.stream) streamMessage(response, replied.message);
  else writeMessage(response, replied.message);
}

async function replyTo(
  request: IncomingMessage,
): Promise<Refusal | { message: WireMessage; stream: boolean }> {
  if (request.url?.split('?')[0] !== '/v1/messages')
    return { status: 404, type: 'not_found_error', message: 'Not found' };
  if (request.method !== 'POST') return { status: 405, type: 'invalid_request_error', message: 'Use POST' };
  const body = await bodyOf(request);
  if (body === null)
    return { status: 413, type: 'request_too_large', message: 'Request exceeds the maximum size' };
  const parsed = messagesRequestSchema.safeParse(jsonOf(body));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return malformed(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`);
  }
  const { model, stream } = parsed.data;
  if (model !== OFFLINE_MODEL) return { status: 404, type: 'not_found_error', message: `model: ${model}` };
  const conversation = readConversation(parsed.data);
  if ('error' in conversation) return malformed(conversation.error);
  const { text, calls } = propose(conversation);
  const turn = conversation.replies + 1;
  const content = [
    { type: 'text', text },
    ...calls.map((call, index) => ({ type: 'tool_use', id: `toolu_offline_${turn}_${index}`, ...call })),
  ];
  return { message: messageFor(parsed.data, body, content), stream };
}

const malformed = (message: string): Refusal => ({ status: 400, type: 'invalid_request_error', message });

/** undefined where it is no JSON, which no request is. */
function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Usage is counted as if four characters were a token, so that ledgers and views have something to show. */
function messageFor(request: MessagesRequest, body: string, content: WireMessage['content']): WireMessage {
  return {
    id: `msg_offline_${sha256(body).slice(0, 24)}`,
    model: request.model,
    content,
    stop_reason: content.some(({ type }) => type === 'tool_use') ? 'tool_use' : 'end_turn',
    usage: {
      input_tokens: Math.ceil(body.length / 4),
      output_tokens: Math.ceil(JSON.stringify(content).length / 4),
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    },
  };
}

/** The body as text, or null where it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes: unknown = chunk;
    if (!(bytes instanceof Buffer)) continue;
    size += bytes.length;
    if (size > MAX_BODY) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
