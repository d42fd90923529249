import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exchange, ToolAnswer } from '../../src/domain/session/conversation.js';
import { checkAnswer, refusedAnswer } from '../../src/model/answers.js';
import { requestTurn, type TurnRequest } from '../../src/model/client.js';
import { messagesOf } from '../../src/model/messages.js';
import { startOfflineProposer, type OfflineProposer } from '../../src/model/offline-proposer.js';
import { OFFLINE_MODEL } from '../../src/model/pricing.js';
import { openingMessage, systemPrompt } from '../../src/model/prompt.js';
import { callsOf, toolDefinitions, type ToolCall } from '../../src/model/tools/tools.js';
import { Harness, loss, ROLES, Session, task } from './synthetic-objective.js';

let proposer: OfflineProposer;
beforeAll(async () => {
  proposer = await startOfflineProposer();
});
afterAll(() => proposer.stop());

const signal = new AbortController().signal;
const options = { signal, onEvent: () => undefined };

function requestFor(role: string, opening: string, exchanges: Exchange[]): TurnRequest {
  const parts = {
    task,
    role,
    rolePrompt: ROLES[role] ?? '',
    knowledge: 'LR matters.',
    trainSeconds: 5,
    turns: 40,
    lanes: [role],
    lineage: 'on' as const,
    sessionTrials: null,
  };
  const messages = messagesOf(opening, exchanges);
  return {
    model: OFFLINE_MODEL,
    system: systemPrompt(parts),
    messages,
    tools: toolDefinitions({ domains: {} }),
    maxTokens: 4000,
  };
}

type Answerer = (call: ToolCall) => { text: string; isError?: boolean };

/** Runs a session to its end; returns what was called, turn by turn. */
async function run(session: Session, name: string, answer: Answerer): Promise<ToolCall[][]> {
  const opening = openingMessage(session.harness.view(session.role), task, 2000, { session: name });
  const exchanges: Exchange[] = [];
  const called: ToolCall[][] = [];
  while (!session.finished && exchanges.length < 40) {
    const request = requestFor(session.role, opening, exchanges);
    const reply = await requestTurn({ baseUrl: proposer.url, apiKey: 'none' }, request, options);
    const calls = callsOf(reply);
    if (calls.length === 0) break;
    called.push(calls.map(({ call }) => call));
    const answers = calls.map(({ use, call }): ToolAnswer => {
      const { text, isError } = answer(call);
      return { toolUseId: use.id, text, isError: isError ?? false };
    });
    exchanges.push({ reply, answers });
  }
  return called;
}

async function campaign(seed: number, trials: number): Promise<Harness> {
  const harness = new Harness(seed, trials);
  for (let index = 0; harness.left > 0 && index < 20; index++) {
    const role = task.specialists[index % 3] ?? 'opt';
    const session = new Session(harness, role);
    const called = await run(session, `seed ${seed}, session ${index}`, (call) => session.answer(call));
    expect(session.finished).toBe(true);
    expect(called.flat().filter(({ tool }) => tool === 'malformed')).toEqual([]);
  }
  return harness;
}

describe('the offline proposer', () => {
  it('improves on the start in 12 trials of 3 roles, on nearly every seed, without repeating itself', async () => {
    const gains: number[] = [];
    for (let seed = 1; seed <= 10; seed++) {
      const harness = await campaign(seed, 12);
      expect(harness.trials).toHaveLength(13);
      expect(harness.refused).toEqual([]);
      const hypotheses = harness.trials.slice(1).map(({ row }) => row.hypothesis);
      for (const text of hypotheses)
        expect(text).toMatch(/^\w+ [\d.e-]+ → [\d.e-]+(; \w+ [\d.e-]+ → [\d.e-]+)?$/);
      gains.push(loss(harness.files(0)) - loss(harness.files(harness.frontier)));
    }
    expect(gains.filter((gain) => gain > 0.02).length).toBeGreaterThanOrEqual(9);
  });

  it('says the same to the same conversation, streamed or not', async () => {
    const session = new Session(new Harness(1, 5), 'opt');
    const body = {
      model: OFFLINE_MODEL,
      max_tokens: 100,
      messages: messagesOf(openingMessage(session.harness.view('opt'), task, 1000), []),
    };
    const ask = async (): Promise<unknown> => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(`${proposer.url}/v1/messages`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      return response.json();
    };
    const first = await ask();
    expect(await ask()).toEqual(first);
    expect(first).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: OFFLINE_MODEL,
      stop_reason: 'tool_use',
    });
  });

  it('makes another move when a check projects a missed gate', async () => {
    const session = new Session(new Harness(3, 3), 'arch');
    let checks = 0;
    const called = await run(session, 'a', (call) => {
      if (call.tool !== 'check' || checks++ > 0) return session.answer(call);
      return {
        text: checkAnswer({
          ok: true,
          margins: [
            {
              ...{ gate: 'size', metric: 'bytes', value: 24_012, limit: 24_000, side: 'max', over: 12 },
              projected: true,
            },
          ],
          projection: null,
          log: 'compiled',
        }),
      };
    });
    const tools = called.map((turn) => turn.at(-1)?.tool);
    expect(tools.slice(0, 4)).toEqual(['edit', 'check', 'check', 'submit_trial']);
  });

  it('ends a session in which every tool fails, and one in which every submit is refused', async () => {
    const failing = new Session(new Harness(4, 9), 'opt');
    await run(failing, 'a', (call) => {
      return call.tool === 'finish' ? failing.answer(call) : { text: 'the disk is full', isError: true };
    });
    expect(failing.finished).toBe(true);
    const refusing = new Session(new Harness(4, 9), 'opt');
    await run(refusing, 'b', (call) => {
      return call.tool === 'submit_trial' ? { text: refusedAnswer('banned') } : refusing.answer(call);
    });
    expect(refusing.finished).toBe(true);
    expect(refusing.harness.trials).toHaveLength(1);
  });

  it('finishes at once when no trial is left or no knob is marked', async () => {
    const late = new Session(new Harness(5, 0), 'opt');
    expect((await run(late, 'a', (call) => late.answer(call))).flat()).toMatchObject([{ tool: 'finish' }]);
    const plain = new Session(new Harness(5, 3), 'opt');
    plain.files = new Map([['train.py', 'LR = 0.3\n']]);
    const called = await run(plain, 'b', (call) => plain.answer(call));
    expect(called.flat().map(({ tool }) => tool)).toEqual(['edit', 'finish']);
  });

  it.each([
    ['no model', { max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }, 400],
    ['no messages', { model: OFFLINE_MODEL, max_tokens: 1, messages: [] }, 400],
    [
      'another model',
      { model: 'claude-opus-5-5', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] },
      404,
    ],
    [
      'a tool call without its result',
      {
        model: OFFLINE_MODEL,
        max_tokens: 1,
        messages: [
          { role: 'user', content: 'x' },
          { role: 'assistant', content: [{ type: 'tool_use', id: 'a', name: 'check', input: {} }] },
          { role: 'user', content: 'and now?' },
        ],
      },
      400,
    ],
  ])('answers a request with %s in the API’s error shape', async (_, body, status) => {
    const response = await fetch(`${proposer.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ type: 'error', error: {} });
  });
});
