import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { EDIT_TOOL } from '../../src/model/tools/workspace.js';
import { streamMessage, writeMessage, type WireMessage } from '../../src/model/wire.js';

const requestSchema = z.looseObject({ model: z.string(), stream: z.boolean().default(false) });

export interface EndlessModel {
  url: string;
  /** Number of requests that it answered. */
  asked(): number;
  stop(): Promise<void>;
}

/** A file of a recipe as the n-th proposal writes it; no two may be equal. */
export type Proposal = (n: number) => { path: string; text: string };

/** For the task `noop`: every hundredth is an improvement, all others are worse than the start. */
const numbers: Proposal = (n) => ({ path: 'x', text: `${n % 100 === 0 ? -n : n}\n` });

/** A Messages API with endless proposals: each reply writes a file and submits it. */
export async function startEndlessModel(propose: Proposal = numbers): Promise<EndlessModel> {
  let asked = 0;
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { model, stream } = requestSchema.parse(body);
      asked += 1;
      const message = reply(model, asked, propose(asked));
      if (stream) streamMessage(response, message);
      else writeMessage(response, message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    asked: () => asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function reply(model: string, n: number, { path, text }: ReturnType<Proposal>): WireMessage {
  const edit = { command: 'create', path, file_text: text };
  const submit = { hypothesis: `number ${n}`, expected_delta: 0 };
  return {
    id: `msg_endless_${n}`,
    model,
    content: [
      { type: 'tool_use', id: `toolu_edit_${n}`, name: EDIT_TOOL, input: edit },
      { type: 'tool_use', id: `toolu_submit_${n}`, name: 'submit_trial', input: submit },
    ],
    stop_reason: 'tool_use',
    usage: {
      input_tokens: 100,
      output_tokens: 20,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
    },
  };
}
