import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  checkAnswer,
  readCheckAnswer,
  readRebaseAnswer,
  readRefusedAnswer,
  rebaseAnswer,
  refusedAnswer,
} from '../../src/model/answers.js';

const text = fc.oneof(
  fc.string(),
  fc.constant('x\ntrials left: 0\nfrontier: trial 99\ncheck: failed\n size: OVER by 1'),
);

it('answers to agents have their agreed words', () => {
  const size = { gate: 'size', metric: 'bytes', limit: 24_000, side: 'max' } as const;
  const passed = { ...size, value: 14_000, over: -10_000 };
  const missed = { ...size, value: 24_012, over: 12 };
  const ok = checkAnswer({ ok: true, margins: [{ ...passed, projected: true }], projection: null, log: '' });
  expect(ok).toBe('check: ok\nsize: 14000 of 24000 bytes, margin 10000 (projected)');
  expect(readCheckAnswer(ok)).toEqual({ ok: true, over: false });
  const exact = [{ ...missed, projected: false }];
  const over = checkAnswer({ ok: false, margins: exact, projection: null, log: 'Traceback' });
  expect(over).toBe('check: failed\nsize: 24012 of 24000 bytes, OVER by 12 bytes (exact)\nlog:\n  Traceback');
  const slow = { seconds: 30, limitS: 25, share: 0.1, rehearsals: 2 };
  expect(readCheckAnswer(checkAnswer({ ok: true, margins: [], projection: slow, log: '' }))).toEqual({
    ok: true,
    over: true,
  });
  expect(readCheckAnswer(over)).toEqual({ ok: false, over: true });
  expect(readRebaseAnswer(rebaseAnswer(12))).toBe(12);
  expect(readRefusedAnswer(refusedAnswer('equal to\nits parent'))).toBe('equal to its parent');
});

it('a check’s log cannot pass for a missed gate', () => {
  fc.assert(
    fc.property(text, (log) => {
      expect(readCheckAnswer(checkAnswer({ ok: true, margins: [], projection: null, log }))).toEqual({
        ok: true,
        over: false,
      });
    }),
  );
});
