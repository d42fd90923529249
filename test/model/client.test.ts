import { afterEach, describe, expect, it } from 'vitest';
import { toolUses, type Reply } from '../../src/domain/session/conversation.js';
import { messagesOf } from '../../src/model/messages.js';
import { ModelFault, requestTurn, thinksAdaptively, type TurnRequest } from '../../src/model/client.js';
import { settingsFrom } from '../../src/model/endpoints.js';
import { callsOf, toolDefinitions } from '../../src/model/tools/tools.js';
import { messageEvents } from '../../src/model/wire.js';
import { say, startScriptedServer, use, type ScriptedServer, type ScriptStep } from './scripted-server.js';

const KEY = 'sk-secret-key-0123456789';
let server: ScriptedServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function scripted(...script: ScriptStep[]): Promise<ScriptedServer> {
  server = await startScriptedServer(script);
  return server;
}

function request(change: Partial<TurnRequest> = {}): TurnRequest {
  return {
    model: 'claude-opus-5-5',
    system: ['You improve a recipe.'],
    messages: messagesOf('Begin.', []),
    tools: toolDefinitions({ domains: {} }),
    maxTokens: 1000,
    ...change,
  };
}

async function turn(
  url: string,
  change: Partial<TurnRequest> = {},
  onEvent = (): void => undefined,
): Promise<Reply> {
  const signal = new AbortController().signal;
  return requestTurn({ baseUrl: url, apiKey: KEY }, request(change), { signal, onEvent });
}

async function faultOf(step: ScriptStep): Promise<ModelFault> {
  const { url } = await scripted(step);
  const error: unknown = await turn(url).catch((thrown: unknown) => thrown);
  if (!(error instanceof ModelFault)) throw new Error(`not a model fault: ${String(error)}`);
  expect(server?.requests).toHaveLength(1);
  expect(`${error.message} ${error.stack ?? ''} ${JSON.stringify(error)}`).not.toContain(KEY);
  return error;
}

describe('a turn', () => {
  it('keeps what the provider searched verbatim, sends it back as it came, and counts searches', async () => {
    const searched = [
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'muon' } },
      {
        ...{ type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1' },
        content: [{ type: 'web_search_result', url: 'https://arxiv.org/1', encrypted_content: 'c2ln' }],
      },
    ];
    const call = use('check', {});
    const { url, requests } = await scripted(
      {
        blocks: [...searched, say('Found.'), call],
        usage: { server_tool_use: { web_search_requests: 2 } },
      },
      { blocks: [say('Done.')] },
    );
    const tools = toolDefinitions({ domains: {}, donors: ['arxiv.org'] });
    const reply = await turn(url, { tools });
    expect(reply.content.slice(0, 2)).toEqual(searched);
    expect(reply.usage.webSearches).toBe(2);
    const answers = [{ toolUseId: toolUses(reply)[0]?.id ?? '', text: 'ok', isError: false }];
    await turn(url, { tools, messages: messagesOf('Begin.', [{ reply, answers }]) });
    expect(requests[1]?.body.messages[1]?.content.slice(0, 2)).toEqual(searched);
    expect(requests[0]?.body.tools.map(({ name }) => name)).toContain('web_search');
  });

  it('keeps thinking verbatim, joins streamed tool inputs and counts cached tokens', async () => {
    const thinking = { type: 'thinking', thinking: 'Größe first…', signature: 'c2ln' };
    const call = use('search', { pattern: 'LR = "ü"', path: 'train.py' });
    const { url } = await scripted({
      blocks: [thinking, say('Let me look.'), call],
      usage: {
        cache_read_input_tokens: 7,
        cache_creation_input_tokens: 9,
        cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 4 },
      },
    });
    let events = 0;
    const reply = await turn(url, {}, () => events++);
    expect(reply.content[0]).toEqual(thinking);
    expect(toolUses(reply)).toMatchObject([{ name: 'search', input: call.input }]);
    expect(reply.usage).toEqual({
      inputTokens: 100,
      outputTokens: 20,
      cacheReadTokens: 7,
      cacheWriteTokens: 9,
      cacheWriteHourTokens: 4,
    });
    expect(reply.stopReason).toBe('tool_use');
    expect(events).toBeGreaterThan(0);
  });

  it('asks current Claude models to think adaptively, and marks what the provider may cache', async () => {
    const { url, requests } = await scripted({ blocks: [say('ok')] }, { blocks: [say('ok')] });
    await turn(url, { effort: 'high' });
    await turn(url, { model: 'offline-proposer', effort: 'high' });
    expect(requests[0]?.body).toMatchObject({
      stream: true,
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high' },
      system: [{ cache_control: { type: 'ephemeral' } }],
      messages: [{ content: [{ text: 'Begin.', cache_control: { type: 'ephemeral' } }] }],
    });
    expect(requests[0]?.body.tools[0]).toEqual({
      type: 'text_editor_20250728',
      name: 'str_replace_based_edit_tool',
    });
    expect(requests[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(requests[0]?.headers).not.toHaveProperty('x-api-key');
    expect(requests[1]?.body).not.toHaveProperty('thinking');
    expect(requests[1]?.body).not.toHaveProperty('output_config');
  });

  it.each([
    ['claude-opus-5-5', true],
    ['claude-haiku-5-5', true],
    ['claude-opus-4-6', true],
    ['claude-fable-5-1', true],
    ['claude-opus-4-5-20251101', false],
    ['claude-haiku-4-5', false],
    ['claude-sonnet-4-20250514', false],
    ['claude-3-5-haiku-latest', false],
    ['some-other-model', false],
  ])('knows whether %s thinks adaptively: %s', (model, expected) => {
    expect(thinksAdaptively(model)).toBe(expected);
  });
});

describe('settings of a turn', () => {
  it('keep prompts for an hour, in two blocks, and price what is written so', async () => {
    const { url, requests } = await scripted({
      blocks: [say('ok')],
      usage: { cache_creation_input_tokens: 9 },
    });
    const reply = await turn(url, {
      system: ['for all', 'of a role'],
      cache: '1h',
      thinking: 'off',
      effort: 'low',
    });
    const mark = { type: 'ephemeral', ttl: '1h' };
    expect(requests[0]?.body).toMatchObject({
      system: [
        { text: 'for all', cache_control: mark },
        { text: 'of a role', cache_control: mark },
      ],
      messages: [{ content: [{ cache_control: mark }] }],
      output_config: { effort: 'low' },
    });
    expect(requests[0]?.body).not.toHaveProperty('thinking');
    expect(reply.usage).toMatchObject({ cacheWriteTokens: 9, cacheWriteHourTokens: 9 });
  });

  it('send the key in the header that an endpoint reads', async () => {
    const { url, requests } = await scripted({ blocks: [say('ok')] });
    const signal = new AbortController().signal;
    const endpoint = { baseUrl: url, apiKey: KEY, auth: 'x-api-key' } as const;
    await requestTurn(endpoint, request(), { signal, onEvent: () => undefined });
    expect(requests[0]?.headers['x-api-key']).toBe(KEY);
    expect(requests[0]?.headers).not.toHaveProperty('authorization');
    expect(settingsFrom({ ASSAY_MODEL_AUTH: 'x-api-key' }, '').auth).toBe('x-api-key');
    expect(settingsFrom({ ASSAY_MODEL_AUTH: '' }, '').auth).toBe('bearer');
    expect(() => settingsFrom({ ASSAY_MODEL_AUTH: 'basic' }, '')).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });

  it('leave the input of a call that is no JSON to be told', async () => {
    const whole = messageEvents({
      ...{ id: 'm', model: 'm', content: [use('check', { a: 1 })], stop_reason: 'tool_use' },
      usage: {
        input_tokens: 1,
        output_tokens: 1,
        cache_read_input_tokens: 0,
        cache_creation_input_tokens: 0,
      },
    });
    const events = whole.map((text) => text.replace(/"partial_json":"[^}]*"}/, '"partial_json":"{oops"}'));
    const { url } = await scripted({ events });
    const reply = await turn(url);
    expect(callsOf(reply)).toMatchObject([
      { call: { tool: 'malformed', error: expect.stringContaining('is not JSON') as string } },
    ]);
    expect(toolUses(reply)[0]?.input).toEqual({ malformed_json: '{oops:1}' });
  });
});

describe('a failed turn', () => {
  it('waits as long as an overloaded provider asks, and was not paid', async () => {
    const exact = { 'retry-after-ms': '1500', 'retry-after': '9' };
    const limited = await faultOf({
      error: { status: 429, type: 'rate_limit_error', message: 'slow down', headers: exact },
    });
    expect(limited).toMatchObject({
      code: 'MODEL_OVERLOADED',
      retryable: true,
      retryAfterMs: 1500,
      maybePaid: false,
    });
    await server?.stop();
    const overloaded = await faultOf({
      error: { status: 529, type: 'overloaded_error', message: 'busy', headers: { 'retry-after': '2' } },
    });
    expect(overloaded).toMatchObject({ code: 'MODEL_OVERLOADED', retryAfterMs: 2000, maybePaid: false });
  });

  it.each([400, 401, 403, 404, 413, 422])(
    'is refused for good on %i, with the provider’s words',
    async (status) => {
      const message = `invalid thing, key ${KEY}`;
      const fault = await faultOf({ error: { status, type: 'invalid_request_error', message } });
      expect(fault).toMatchObject({ code: 'MODEL_REQUEST_REFUSED', retryable: false, maybePaid: false });
      expect(fault.message).toContain('invalid thing, key [key]');
    },
  );

  it('may have been paid when the stream breaks off', async () => {
    expect(await faultOf({ drop: 'midway' })).toMatchObject({ code: 'MODEL_UNREACHABLE', maybePaid: true });
    await server?.stop();
    expect(await faultOf({ drop: 'before' })).toMatchObject({ code: 'MODEL_UNREACHABLE', maybePaid: true });
    await server?.stop();
    const event = { type: 'overloaded_error', message: 'Overloaded' };
    expect(await faultOf({ errorEvent: event })).toMatchObject({ code: 'MODEL_OVERLOADED', maybePaid: true });
  });

  it('was not paid when nothing listens', async () => {
    const { url, stop } = await scripted();
    await stop();
    const error: unknown = await turn(url).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'MODEL_UNREACHABLE', retryable: true, maybePaid: false });
  });

  it('rethrows the reason of a cancellation', async () => {
    const controller = new AbortController();
    const reason = new Error('stopped by a person');
    const { url } = await scripted(() => {
      controller.abort(reason);
      return new Promise(() => undefined);
    });
    const options = { signal: controller.signal, onEvent: () => undefined };
    await expect(requestTurn({ baseUrl: url, apiKey: KEY }, request(), options)).rejects.toBe(reason);
  });
});

describe('a conversation', () => {
  const reply = (content: Reply['content']): Reply => ({
    id: 'msg',
    model: 'm',
    content,
    stopReason: 'end_turn',
    usage: { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 },
  });

  it('answers every tool call in the order of the calls, the unanswered ones too', () => {
    const call = (id: string): Reply['content'][number] => ({
      type: 'tool_use',
      id,
      name: 'check',
      input: {},
    });
    const messages = messagesOf('Go.', [
      {
        reply: reply([{ type: 'redacted_thinking', data: 'x' }, call('a'), call('b')]),
        answers: [{ toolUseId: 'b', text: 'second', isError: false }],
      },
    ]);
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [{ type: 'redacted_thinking', data: 'x' }, { id: 'a' }, { id: 'b' }] },
      {
        role: 'user',
        content: [
          { tool_use_id: 'a', is_error: true },
          { tool_use_id: 'b', content: 'second', is_error: false },
        ],
      },
    ]);
  });

  it('ends with our words and never sends a message that the API refuses as empty', () => {
    const silent = { reply: reply([{ type: 'thinking', thinking: 'hm', signature: 's' }]), answers: [] };
    const blank = { reply: reply([{ type: 'text', text: ' \n' }]), answers: [] };
    const messages = messagesOf('Go.', [silent, blank]);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'user', 'user']);
  });
});

it('a script that runs out fails its test', async () => {
  const { url, assertDone } = await scripted({ blocks: [say('only one')] });
  expect(assertDone).toThrow('0 of 1');
  await turn(url);
  assertDone();
  await expect(turn(url)).rejects.toMatchObject({ code: 'MODEL_OVERLOADED' });
  expect(assertDone).toThrow('the script has 1 answers');
});
