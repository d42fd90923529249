import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toolUses, type Exchange } from '../../../src/domain/session/conversation.js';
import { KEPT_WHOLE, pruned } from '../../../src/domain/session/prune.js';

interface Turn {
  file: number;
  answer: number;
  counted: boolean;
}

/** Exchanges whose usage is that of their own text, as sent at the time. */
function conversation(turns: readonly Turn[]): Exchange[] {
  return turns.map(({ file, answer, counted }, at) => ({
    reply: {
      id: `m${at}`,
      model: 'm',
      stopReason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 't', signature: 's' },
        {
          type: 'tool_use',
          id: `a${at}`,
          name: 'edit',
          input: { command: 'create', path: 'p', file_text: 'f'.repeat(file) },
        },
        { type: 'tool_use', id: `b${at}`, name: 'view', input: {} },
      ],
      usage: {
        inputTokens: counted ? 200 * at + 1 : 0,
        outputTokens: 10,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
      },
    },
    answers: [
      { toolUseId: `a${at}`, text: 'written', isError: false },
      { toolUseId: `b${at}`, text: `line one\n${'x'.repeat(answer)}`, isError: false },
    ],
  }));
}

const turn = fc.record({ file: fc.nat(4000), answer: fc.nat(4000), counted: fc.boolean() });
const conversations = fc.array(turn, { maxLength: 40 }).map(conversation);
const room = fc.record({ limit: fc.integer({ min: 500, max: 20_000 }), base: fc.nat(400) });

describe('pruning', () => {
  it('keeps every call with its answer, in order, and all but long parts of old exchanges', () => {
    fc.assert(
      fc.property(conversations, room, (exchanges, of) => {
        const { exchanges: sent, cut } = pruned(exchanges, of);
        expect(sent).toHaveLength(exchanges.length);
        expect(cut).toBeLessThanOrEqual(Math.max(0, exchanges.length - KEPT_WHOLE));
        for (const [at, exchange] of exchanges.entries()) {
          const out = sent[at];
          if (at >= cut) expect(out).toBe(exchange);
          expect(out?.answers.map(({ toolUseId }) => toolUseId)).toEqual(
            toolUses(exchange.reply).map(({ id }) => id),
          );
          expect(toolUses(out?.reply ?? exchange.reply).map(({ id, name }) => [id, name])).toEqual(
            toolUses(exchange.reply).map(({ id, name }) => [id, name]),
          );
          expect(out?.reply.content[0]).toBe(exchange.reply.content[0]);
          expect(JSON.stringify(out).length).toBeLessThanOrEqual(JSON.stringify(exchange).length);
        }
      }),
    );
  });

  it('never moves its cut back, and is the same however often it is asked', () => {
    fc.assert(
      fc.property(conversations, room, (exchanges, of) => {
        const cuts = exchanges.map((_, at) => pruned(exchanges.slice(0, at + 1), of).cut);
        expect(cuts).toEqual([...cuts].sort((a, b) => a - b));
        expect(pruned(exchanges, of)).toEqual(pruned(exchanges, of));
      }),
    );
  });

  it('cuts in large steps, and keeps a long conversation within its room', () => {
    const exchanges = conversation(Array<Turn>(200).fill({ file: 3000, answer: 3000, counted: false }));
    const of = { limit: 60_000, base: 5000 };
    const at = exchanges.map((_, index) => pruned(exchanges.slice(0, index + 1), of));
    const steps = new Set(at.map(({ cut }) => cut));
    expect(steps.size).toBeGreaterThan(2);
    expect(steps.size).toBeLessThan(20);
    expect(Math.max(...at.map(({ tokens }) => tokens))).toBeLessThanOrEqual(of.limit);
  });

  it('trusts what the provider counted, and leaves a conversation alone that fits', () => {
    const exchanges = conversation([{ file: 4000, answer: 4000, counted: true }]);
    expect(pruned(exchanges, { limit: 2000, base: 0 })).toMatchObject({ cut: 0 });
    expect(pruned([], { limit: 2000, base: 70 })).toEqual({ exchanges: [], tokens: 70, cut: 0 });
    const [one] = exchanges;
    expect(pruned(exchanges, { limit: 9000, base: 0 }).exchanges[0]).toBe(one);
  });

  it('says what stood there', () => {
    const many = conversation(Array<Turn>(8).fill({ file: 3000, answer: 3000, counted: false }));
    const [first] = pruned(many, { limit: 6000, base: 0 }).exchanges;
    expect(JSON.stringify(first?.reply.content)).toContain('[3000 characters, left out');
    expect(first?.answers[1]?.text).toMatch(/^line one\n\[3009 characters, left out .*call the tool again/);
  });
});
