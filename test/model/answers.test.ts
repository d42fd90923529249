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

const amount = fc.nat({ max: 99_999 });
const margin = fc.record({
  // named like the lines that readers look for
  gate: fc.constantFrom('size', 'score', 'frontier', 'lesson', 'check'),
  metric: fc.constantFrom('bytes', 'accuracy'),
  value: amount,
  limit: amount,
  side: fc.constantFrom('max' as const, 'min' as const),
  over: amount,
});
const belief = fc.option(
  fc.record({
    mean: fc.double({ noNaN: true, noDefaultInfinity: true }),
    sd: fc.constantFrom(1e-9, 0.0016, 3),
  }),
);
const limit = fc.record({ name: text, used: amount, allowed: amount, unit: text });
const projection = fc.record({
  seconds: amount,
  limitS: amount,
  share: fc.constantFrom(0.1, 0.5),
  rehearsals: fc.constantFrom(1, 2),
});

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
    believed: belief,
    frontierBelieved: belief,
    margins: fc.array(margin),
    limit: fc.option(limit),
    train: fc.constantFrom(null, '9.6 of 10 s'),
    projection: fc.option(projection),
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
    believed: { mean: 2.652341, sd: 0.00312 },
    frontierBelieved: { mean: 2.652341, sd: 0.00312 },
    margins: [{ gate: 'size', metric: 'bytes', limit: 24_000, side: 'max', value: 23_988, over: -12 }],
    limit: null,
    train: '9.6 of 10 s',
    projection: { seconds: 27.5, limitS: 25, share: 0.1, rehearsals: 1 },
    lesson: 'better',
    trialsLeft: 4,
  });
  expect(submitted.split('\n')).toEqual([
    'trial 7: keep',
    'score: 2.65 bits/byte (believed 2.65234 ± 0.0031, parent 2.7, delta -0.05)',
    'parent: trial 3',
    'frontier: trial 7, score 2.65 (believed 2.65234 ± 0.0031)',
    'gate size: 23988 of 24000 bytes, margin 12 (exact)',
    'train 9.6 of 10 s',
    'evaluation: 27.5 of 25 s, OVER by 2.5 s (projected from 10 % of it)',
    'lesson: better',
    'trials left: 4',
  ]);
  const ended = submitAnswer({
    ...{
      trial: 8,
      status: 'size_blocked',
      score: null,
      unit: '',
      parent: null,
      parentScore: null,
      delta: null,
    },
    ...{
      frontier: 7,
      frontierScore: null,
      believed: null,
      frontierBelieved: null,
      margins: [],
      train: null,
      projection: null,
      lesson: 'too big',
      trialsLeft: null,
    },
    limit: { name: 'size', used: 24_012, allowed: 24_000, unit: 'bytes' },
  });
  expect(ended.split('\n')).toEqual([
    'trial 8: size_blocked',
    'frontier: trial 7',
    'limit size: 24012 of 24000 bytes, 12 over',
    'lesson: too big',
  ]);
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
