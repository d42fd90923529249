import { describe, expect, it } from 'vitest';
import {
  courseOf,
  lastTurn,
  NUDGE,
  PAUSES,
  type SaidReply,
} from '../../../src/domain/session/continuation.js';

const TOKENS = { first: 32_000, most: 128_000 };
const said = (stopReason: string, calls = 0, whole = calls): SaidReply => ({ stopReason, calls, whole });
const tool = said('tool_use', 1);
const text = said('end_turn');
const cut = said('max_tokens');
const cutCall = said('max_tokens', 1, 0);
const pause = said('pause_turn');
const refusal = said('refusal');

describe('the course of a session', () => {
  it.each<[string, SaidReply[], string[], number]>([
    ['a tool call', [tool], ['tools'], 32_000],
    ['one silent reply', [text], ['told'], 32_000],
    ['three silent replies', [text, text, text], ['told', 'told', 'end'], 32_000],
    [
      'silence broken by a call',
      [text, text, tool, text, text],
      ['told', 'told', 'tools', 'told', 'told'],
      32_000,
    ],
    ['a refusal counts as silence', [refusal, text, refusal], ['told', 'told', 'end'], 32_000],
    [
      'a pause is not counted',
      [text, pause, text, pause, text],
      ['told', 'resumed', 'told', 'resumed', 'end'],
      32_000,
    ],
    ['a cut reply raises the limit', [cut], ['told'], 64_000],
    ['so does a cut call', [tool, cutCall], ['tools', 'told'], 64_000],
    ['raises end at the highest limit', [cut, cut, cut], ['told', 'told', 'told'], 128_000],
    [
      'and then count as silence',
      [cut, cut, cut, cut, cut],
      ['told', 'told', 'told', 'told', 'end'],
      128_000,
    ],
    ['a whole call before the cut runs', [said('max_tokens', 2, 1)], ['tools'], 32_000],
    ['a full context', [tool, said('model_context_window_exceeded')], ['tools', 'end'], 32_000],
  ])('%s', (_, replies, kinds, maxTokens) => {
    const course = courseOf(replies, TOKENS);
    expect(course.steps.map(({ kind }) => kind)).toEqual(kinds);
    expect(course.maxTokens).toBe(maxTokens);
  });

  it('does not follow a provider that pauses for ever', () => {
    const kinds = courseOf(Array<SaidReply>(PAUSES + 3).fill(pause), TOKENS).steps.map(({ kind }) => kind);
    expect(kinds).toEqual([...Array<string>(PAUSES).fill('resumed'), 'told', 'told', 'end']);
  });

  it('never lowers a limit that is above the highest of the model', () => {
    expect(courseOf([cut], { first: 64_000, most: 32_000 })).toMatchObject({
      steps: [{ kind: 'told' }],
      maxTokens: 64_000,
    });
  });

  it('tells each reason in its own words', () => {
    const words = [text, refusal, cut].map((reply) => {
      const [step] = courseOf([reply], TOKENS).steps;
      return step?.kind === 'told' ? step.words : '';
    });
    expect(words[0]).toBe(NUDGE);
    expect(words[1]).toContain('safety filter');
    expect(words[2]).toContain('64000 tokens');
    expect(courseOf([text, text, text], TOKENS).steps[2]).toEqual({
      kind: 'end',
      because: 'the model called no tool 3 times in a row (end_turn)',
    });
  });
});

describe('the last turn of a session', () => {
  it.each([
    ['in its midst', { turn: 5, trials: 3 }, { turns: 60, sessionTrials: 4 }, null],
    ['after its trials', { turn: 5, trials: 4 }, { turns: 60, sessionTrials: 4 }, false],
    ['without a cap of trials', { turn: 5, trials: 90 }, { turns: 60, sessionTrials: null }, null],
    ['at its last turn', { turn: 59, trials: 0 }, { turns: 60, sessionTrials: 4 }, true],
    ['its only turn', { turn: 0, trials: 0 }, { turns: 1, sessionTrials: 4 }, null],
  ])('%s', (_, at, caps, submits) => {
    expect(lastTurn(at, caps)?.submits ?? null).toBe(submits);
  });
});
