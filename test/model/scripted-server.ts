import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { z } from 'zod';
import {
  messageEvents,
  startStream,
  streamMessage,
  writeError,
  writeMessage,
  type WireMessage,
} from '../../src/model/wire.js';

const block = z.looseObject({ type: z.string() });
const requestSchema = z.looseObject({
  model: z.string(),
  max_tokens: z.number(),
  stream: z.boolean().default(false),
  system: z.unknown(),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  messages: z.array(
    z.object({ role: z.enum(['user', 'assistant']), content: z.union([z.string(), z.array(block)]) }),
  ),
});

/** A request as the server saw it. */
export interface RecordedRequest {
  body: z.infer<typeof requestSchema>;
  headers: IncomingMessage['headers'];
}

/** One answer of the script. */
export type ScriptedAnswer =
  | { blocks: WireMessage['content']; stopReason?: string; usage?: Partial<WireMessage['usage']> }
  | { error: { status: number; type: string; message: string; headers?: Record<string, string> } }
  /** An error event inside a stream that had begun well. */
  | { errorEvent: { type: string; message: string } }
  /** The connection dies: before any answer, or in the midst of the stream. */
  | { drop: 'before' | 'midway' }
  /** The connection dies after so many events of the answer's stream. */
  | { dropAfter: number; blocks: WireMessage['content'] }
  /** Events exactly as they are to stand on the wire. */
  | { events: readonly string[] };
export type ScriptStep =
  ScriptedAnswer | ((request: RecordedRequest) => ScriptedAnswer | Promise<ScriptedAnswer>);

export interface ScriptedServer {
  url: string;
  requests: RecordedRequest[];
  /** Throws unless the whole script was used and nothing was asked beyond it. */
  assertDone: () => void;
  stop: () => Promise<void>;
}

export const say = (text: string): WireMessage['content'][number] => ({ type: 'text', text });

let uses = 0;
export function use(name: string, input: Record<string, unknown> = {}): WireMessage['content'][number] {
  return { type: 'tool_use', id: `toolu_scripted_${uses++}`, name, input };
}

/**
 * A Messages API that answers from a script, in the order in which requests arrive. A request beyond the script is
 * answered 500 and makes `assertDone` throw.
 */
export async function startScriptedServer(script: readonly ScriptStep[]): Promise<ScriptedServer> {
  const requests: RecordedRequest[] = [];
  const failures: string[] = [];
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      failures.push(String(error));
      if (response.headersSent) response.destroy();
      else writeError(response, 500, 'api_error', `scripted server: ${String(error)}`);
    });
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = requestSchema.parse(JSON.parse(await textOf(request)));
    const recorded = { body, headers: request.headers };
    const index = requests.push(recorded) - 1;
    const step = script[index];
    if (step === undefined)
      throw new Error(`the script has ${script.length} answers, and this is request ${index + 1}`);
    await write(response, typeof step === 'function' ? await step(recorded) : step, body, index);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    assertDone: () => {
      if (failures.length > 0) throw new Error(failures.join('\n'));
      if (requests.length < script.length)
        throw new Error(`${requests.length} of ${script.length} scripted answers were used`);
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function write(
  response: ServerResponse,
  answer: ScriptedAnswer,
  body: RecordedRequest['body'],
  index: number,
): Promise<void> {
  if ('error' in answer) {
    const { status, type, message, headers } = answer.error;
    writeError(response, status, type, message, headers);
  } else if ('errorEvent' in answer) {
    await begin(response, body.model, index);
    response.end(`event: error\ndata: ${JSON.stringify({ type: 'error', error: answer.errorEvent })}\n\n`);
  } else if ('drop' in answer) {
    if (answer.drop === 'midway') await begin(response, body.model, index);
    response.destroy();
  } else if ('events' in answer) {
    startStream(response, `scripted_${index}`);
    response.end(answer.events.join(''));
  } else if ('dropAfter' in answer) {
    const events = messageEvents(messageOf({ blocks: answer.blocks }, body.model, index)).slice(
      0,
      answer.dropAfter,
    );
    startStream(response, `scripted_${index}`);
    await new Promise((resolve) => response.write(events.join(''), resolve));
    // what was written is on its way before the connection ends
    response.socket?.destroySoon();
  } else {
    const message = messageOf(answer, body.model, index);
    if (body.stream) streamMessage(response, message);
    else writeMessage(response, message);
  }
}

/** The first half of a stream, really sent. */
async function begin(response: ServerResponse, model: string, index: number): Promise<void> {
  const events = messageEvents(messageOf({ blocks: [say('a reply that breaks off')] }, model, index));
  startStream(response, `scripted_${index}`);
  await new Promise((resolve) => response.write(events.slice(0, 4).join(''), resolve));
}

function messageOf(
  answer: Extract<ScriptedAnswer, { stopReason?: string }>,
  model: string,
  index: number,
): WireMessage {
  const calls = answer.blocks.some(({ type }) => type === 'tool_use');
  return {
    id: `msg_scripted_${index}`,
    model,
    content: answer.blocks,
    stop_reason: answer.stopReason ?? (calls ? 'tool_use' : 'end_turn'),
    usage: {
      input_tokens: 100,
      output_tokens: 20,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      ...answer.usage,
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    const bytes: unknown = chunk;
    if (bytes instanceof Buffer) chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}
