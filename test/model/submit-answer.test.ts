import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import {
  readSubmitAnswer,
  submitAnswer,
  type SubmitAnswer,
} from '../../src/model/trial-text/submit-answer.js';

const text = fc.oneof(
  fc.string(),
  fc.constant('x\ntrials left: 0\ntrial 99: keep. The frontier is trial 99\nscore 9 (1 run; delta 9)'),
  fc.constant('\rscore 9 (1 run; delta 9)\u2028trials left: 0'),
);
const score = fc.option(fc.integer({ min: -99_999, max: 99_999 }).map((value) => value / 1000));
const amount = fc.nat({ max: 99_999 });
const belief = fc.option(
  fc.record({ mean: fc.double({ noNaN: true, noDefaultInfinity: true }), sd: fc.constantFrom(1e-9, 3) }),
);
const margin = fc.record({
  // named like the lines that readers look for
  gate: fc.oneof(text, fc.constantFrom('size', 'score', 'trials left')),
  metric: fc.constantFrom('bytes', 'accuracy'),
  value: amount,
  limit: amount,
  side: fc.constantFrom('max' as const, 'min' as const),
  over: amount,
});
const other = fc.record({
  trial: fc.nat(),
  role: text,
  status: fc.option(fc.constantFrom(...TRIAL_STATUSES)),
  score,
  hypothesis: text,
});
const place = fc.record({ file: text, line: amount, within: fc.option(text), error: text });
const anyAnswer: fc.Arbitrary<SubmitAnswer> = fc.record({
  trial: fc.nat(),
  status: fc.constantFrom(...TRIAL_STATUSES, 'measured' as const),
  score,
  unit: fc.constantFrom('', 'bits/byte', 's'),
  runs: fc.integer({ min: 1, max: 9 }),
  noise: fc.option(fc.record({ sd: fc.constantFrom(0.002, 3), runs: fc.option(amount) })),
  parent: fc.option(fc.nat()),
  parentScore: score,
  delta: score,
  expectedDelta: score,
  believed: belief,
  frontier: fc.option(
    fc.record({
      trial: fc.nat(),
      score,
      believed: belief,
      before: fc.option(fc.record({ trial: fc.nat(), score: fc.integer() })),
    }),
  ),
  sizes: fc.option(
    fc.record({
      code: fc.option(amount),
      artifact: fc.option(amount),
      total: fc.option(amount),
      limit: fc.option(amount),
    }),
  ),
  phases: fc.array(
    fc.record({
      phase: fc.constantFrom('train', 'pack', 'evaluate'),
      seconds: amount,
      limitS: fc.option(amount),
      reusedFrom: fc.option(amount),
      hostSpeed: fc.constantFrom(null, 0.5, 1),
      usualSpeed: fc.constantFrom(null, 0.9),
      cpuS: fc.option(amount),
      load: fc.option(amount),
    }),
    { maxLength: 3 },
  ),
  margins: fc.array(margin, { maxLength: 2 }),
  limit: fc.option(fc.record({ name: text, used: amount, allowed: amount, unit: text })),
  projection: fc.option(
    fc.record({
      seconds: amount,
      limitS: amount,
      share: fc.constantFrom(0.1, 0.5),
      rehearsals: fc.constantFrom(1, 2),
    }),
  ),
  failure: fc.option(
    fc.record({ phase: fc.constantFrom('train', 'check'), reason: text, place: fc.option(place) }),
  ),
  progress: fc.option(fc.record({ share: fc.constantFrom(0, 0.42, 1), value: amount })),
  report: fc.array(text, { maxLength: 5 }),
  moved: fc.option(fc.record({ label: text, from: amount, to: amount })),
  logs: fc.array(
    fc.record({
      phase: fc.constantFrom('train', 'pack'),
      lines: fc.array(text, { minLength: 1, maxLength: 12 }),
    }),
    { maxLength: 2 },
  ),
  lesson: text,
  meanwhile: fc.option(fc.array(other, { maxLength: 4 })),
  left: fc.record({
    trials: fc.option(fc.nat()),
    hours: fc.option(amount),
    dollars: fc.option(amount),
    acceleratorSeconds: fc.option(amount),
  }),
});

it('says the same to its reader, whatever the texts of others in it say', () => {
  fc.assert(
    fc.property(anyAnswer, (answer) => {
      const { trial, status, frontier, left } = answer;
      expect(readSubmitAnswer(submitAnswer(answer))).toEqual({
        trial,
        status,
        frontier: frontier?.trial ?? null,
        trialsLeft: left.trials,
        score: answer.score,
        delta: answer.score === null ? null : answer.delta,
      });
    }),
  );
});

const HOST = { hostSpeed: 1, usualSpeed: null, load: null, reusedFrom: null } as const;

const KEPT: SubmitAnswer = {
  trial: 12,
  status: 'keep',
  score: 0.936,
  unit: 'bits/byte',
  runs: 1,
  noise: { sd: 0.002, runs: 3 },
  parent: 5,
  parentScore: 0.9914,
  delta: -0.0554,
  expectedDelta: -0.1,
  believed: { mean: 0.937, sd: 0.0016 },
  frontier: {
    trial: 12,
    score: 0.936,
    believed: { mean: 0.937, sd: 0.0016 },
    before: { trial: 5, score: 0.9914 },
  },
  sizes: { code: 10_079, artifact: 12_269, total: 22_348, limit: 24_000 },
  phases: [
    { ...HOST, phase: 'train', seconds: 12.61, limitS: 15, cpuS: 9, hostSpeed: 0.58, usualSpeed: 0.97 },
    { ...HOST, phase: 'evaluate', seconds: 10, limitS: 25, cpuS: null },
  ],
  margins: [],
  limit: null,
  projection: null,
  failure: null,
  progress: null,
  report: ['0.9360 bits/byte', '  word, letter 1   2.100  [-0.130]'],
  moved: { label: 'word, letter 1', from: 2.23, to: 2.1 },
  logs: [{ phase: 'train', lines: ['step 900', '\tloss 0.91'] }],
  lesson: 'better',
  meanwhile: [
    { trial: 15, role: 'opt', status: null, score: null, hypothesis: 'LR 0.003' },
    { trial: 14, role: 'arch', status: 'discard', score: 0.95, hypothesis: 'wider' },
  ],
  left: { trials: 9, hours: 3.14, dollars: 6.2, acceleratorSeconds: null },
};

it('lays out a kept trial', () => {
  expect(submitAnswer(KEPT).split('\n')).toEqual([
    'trial 12: keep. The frontier is now trial 12 (0.936; believed 0.937 ± 0.0016; before: trial 5, 0.9914)',
    'score 0.936 bits/byte (1 run; believed 0.937 ± 0.0016; runs of this family differ by about 0.002, from 3 runs; parent trial 5 0.9914; expected -0.1; delta -0.0554)',
    'bytes 22348 of 24000: code 10079, artifact 12269; 1652 free',
    'seconds: train 12.6 of 15 (CPU 9), evaluate 10 of 25',
    'host of train: the host at 0.58 of its full speed (usually 0.97); steps and seconds are not comparable with those of other runs',
    'lesson: better; expected -0.1, measured -0.0554 (55 % of it); moved most: word, letter 1 from 2.23 to 2.1 (-0.13)',
    'evaluator (in brackets: change against trial 5):',
    '  0.9360 bits/byte',
    '    word, letter 1   2.100  [-0.130]',
    'train log, last 2 lines:',
    '  step 900',
    '      loss 0.91',
    'meanwhile:',
    '  opt trial 15 runs: LR 0.003',
    '  arch trial 14 ended as discard with 0.95: wider',
    'trials left: 9, hours 3.1, dollars 6.20',
  ]);
});

it('lays out a training that crashed, and one that was cut', () => {
  const nothing = {
    score: null,
    delta: null,
    believed: null,
    sizes: null,
    phases: [],
    report: [],
    moved: null,
  };
  const crashed = submitAnswer({
    ...KEPT,
    ...nothing,
    status: 'crash',
    frontier: { trial: 5, score: null, believed: null, before: null },
    failure: {
      phase: 'train',
      reason: 'exited with code 1',
      place: { file: 'train.py', line: 41, within: 'step', error: 'ValueError: shapes (3,) and (4,)' },
    },
    logs: [],
    lesson: 'train: exited with code 1',
    meanwhile: [],
  });
  expect(crashed.split('\n')).toEqual([
    'trial 12: crash. The frontier is trial 5',
    'parent trial 5 0.9914',
    'failed in train: exited with code 1',
    '  at train.py:41 in step: ValueError: shapes (3,) and (4,)',
    'lesson: train: exited with code 1',
    'trials left: 9, hours 3.1, dollars 6.20',
  ]);
  const late = submitAnswer({
    ...KEPT,
    ...nothing,
    status: 'train_budget_overrun',
    limit: { name: 'wall', used: 15.2, allowed: 15, unit: 's' },
    progress: { share: 0.42, value: 3.1 },
  });
  expect(late).toContain('limit wall: 15.2 of 15 s, 0.2 over\n');
  expect(late).toContain('last progress: 3.1 at 42 % of the training\n');
});

it('tells a conversation without lineage neither frontier nor verdict', () => {
  const alone = submitAnswer({ ...KEPT, status: 'measured', frontier: null, meanwhile: null });
  expect(alone.split('\n')[0]).toBe('trial 12: measured');
  expect(alone).not.toMatch(/frontier|meanwhile/);
});
