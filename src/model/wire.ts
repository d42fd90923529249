import type { ServerResponse } from 'node:http';

/** A message as the Messages API returns it, for endpoints of ours. */
export interface WireMessage {
  id: string;
  model: string;
  content: readonly ({ type: string } & Record<string, unknown>)[];
  stop_reason: string;
  usage: {
    input_tokens: number;
    output_tokens: number;
    cache_read_input_tokens: number;
    cache_creation_input_tokens: number;
    cache_creation?: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
    server_tool_use?: { web_search_requests: number };
  };
}

/** Writes a message as one JSON body. */
export function writeMessage(response: ServerResponse, message: WireMessage): void {
  const body = { ...message, type: 'message', role: 'assistant', stop_sequence: null };
  response.writeHead(200, { 'content-type': 'application/json', 'request-id': `req_${message.id}` });
  response.end(JSON.stringify(body));
}

/** Writes an error in the API's shape. */
export function writeError(
  response: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...headers, 'content-type': 'application/json' });
  response.end(JSON.stringify({ type: 'error', error: { type, message } }));
}

/** The server-sent events of a message, each as it stands on the wire, in order. */
export function messageEvents(message: WireMessage): string[] {
  const { content, stop_reason, usage, ...head } = message;
  const start = {
    ...head,
    type: 'message',
    role: 'assistant',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  };
  return [
    event('message_start', { message: { ...start, usage: { ...usage, output_tokens: 1 } } }),
    event('ping', {}),
    ...content.flatMap((block, index) => [
      event('content_block_start', { index, content_block: emptied(block) }),
      ...deltas(block).map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ]),
    event('message_delta', {
      delta: { stop_reason, stop_sequence: null },
      usage: { output_tokens: usage.output_tokens },
    }),
    event('message_stop', {}),
  ];
}

/** Writes a message as a stream of events. */
export function streamMessage(response: ServerResponse, message: WireMessage): void {
  startStream(response, message.id);
  for (const text of messageEvents(message)) response.write(text);
  response.end();
}

export function startStream(response: ServerResponse, id: string): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'request-id': `req_${id}`,
  });
}

function event(type: string, fields: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** The block as it is announced, before its deltas. */
function emptied(block: WireMessage['content'][number]): Record<string, unknown> {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'tool_use') return { ...block, input: {} };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block;
}

function deltas(block: WireMessage['content'][number]): Record<string, unknown>[] {
  if (block.type === 'text') return halves(String(block.text)).map((text) => ({ type: 'text_delta', text }));
  if (block.type === 'tool_use') {
    return halves(JSON.stringify(block.input)).map((text) => ({
      type: 'input_json_delta',
      partial_json: text,
    }));
  }
  if (block.type === 'thinking') {
    return [
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    ];
  }
  return [];
}

/** Two pieces, so that a reader which does not join them is found out. */
function halves(text: string): string[] {
  const letters = Array.from(text);
  const middle = Math.ceil(letters.length / 2);
  return [letters.slice(0, middle).join(''), letters.slice(middle).join('')];
}
