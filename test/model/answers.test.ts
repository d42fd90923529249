import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import {
  checkAnswer,
  readCheckAnswer,
  readRebaseAnswer,
  readRefusedAnswer,
  readSubmitAnswer,
  rebaseAnswer,
  refusedAnswer,
  submitAnswer,
} from '../../src/model/answers.js';

const score = fc.option(fc.integer({ min: -99_999, max: 99_999 }).map((value) => value / 1000));
const text = fc.oneof(
  fc.string(),
  fc.constant('x\ntrials left: 0\nfrontier: trial 99\ncheck: failed\n size: OVER by 1'),
);

it('a submit’s answer says the same to its reader, whatever its lesson says', () => {
  const answers = fc.record({
    trial: fc.nat(),
    status: fc.constantFrom(...TRIAL_STATUSES),
    score,
    unit: fc.constantFrom('', 'bits/byte', 's'),
    parent: fc.option(fc.nat()),
    parentScore: score,
    delta: score,
    frontier: fc.nat(),
    frontierScore: score,
    lesson: text,
    trialsLeft: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(answers, (answer) => {
      const { trial, status, frontier, trialsLeft } = answer;
      const delta = answer.score === null ? null : answer.delta;
      expect(readSubmitAnswer(submitAnswer(answer))).toEqual({
        trial,
        status,
        frontier,
        trialsLeft,
        score: answer.score,
        delta,
      });
    }),
  );
});

it('answers to agents have their agreed words', () => {
  const submitted = submitAnswer({
    trial: 7,
    status: 'keep',
    score: 2.65,
    unit: 'bits/byte',
    parent: 3,
    parentScore: 2.7,
    delta: -0.05,
    frontier: 7,
    frontierScore: 2.65,
    lesson: 'better',
    trialsLeft: 4,
  });
  expect(submitted.split('\n')).toEqual([
    'trial 7: keep',
    'score: 2.65 bits/byte (parent 2.7, delta -0.05)',
    'parent: trial 3',
    'frontier: trial 7, score 2.65',
    'lesson: better',
    'trials left: 4',
  ]);
  const size = { gate: 'size', metric: 'bytes', limit: 24_000, side: 'max' } as const;
  const passed = { ...size, value: 14_000, over: -10_000 };
  const missed = { ...size, value: 24_012, over: 12 };
  const ok = checkAnswer({ ok: true, margins: [passed], projected: true, log: '' });
  expect(ok).toBe('check: ok\nsize: 14000 of 24000 bytes, margin 10000 (projected)');
  expect(readCheckAnswer(ok)).toEqual({ ok: true, over: false });
  const over = checkAnswer({ ok: false, margins: [missed], projected: false, log: 'Traceback' });
  expect(over).toBe('check: failed\nsize: 24012 of 24000 bytes, OVER by 12 bytes\nlog:\n  Traceback');
  expect(readCheckAnswer(over)).toEqual({ ok: false, over: true });
  expect(readRebaseAnswer(rebaseAnswer(12))).toBe(12);
  expect(readRefusedAnswer(refusedAnswer('equal to\nits parent'))).toBe('equal to its parent');
});

it('a check’s log cannot pass for a missed gate', () => {
  fc.assert(
    fc.property(text, (log) => {
      expect(readCheckAnswer(checkAnswer({ ok: true, margins: [], projected: false, log }))).toEqual({
        ok: true,
        over: false,
      });
    }),
  );
});
