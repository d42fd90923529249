import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstMiss, margins } from '../../src/domain/task/gates.js';
import {
  outcomeOf,
  outcomeOfRuns,
  type Evidence,
  type Judging,
  type Run,
} from '../../src/domain/trial/outcome-of.js';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import { taskSchema } from '../../src/domain/task/task.js';

const task = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'tiny',
  title: 'tiny',
  metric: { name: 'loss', unit: '', direction: 'minimize' },
  recipe: { editable: ['train.py'], counted: ['train.py'] },
  resources: {},
  phases: { train: { run: 'true', timeout_s: 1, output: 'out/' } },
  scoring: 'direct',
  evaluate: { run: 'true', timeout_s: 1 },
  gates: [
    { name: 'size', metric: 'bytes', max: 100, known: 'pack' },
    { name: 'accuracy', metric: 'accuracy', min: 0.9, known: 'evaluate' },
  ],
  specialists: ['solo'],
});

const failure = fc.record({
  status: fc.constantFrom(...TRIAL_STATUSES),
  phase: fc.constantFrom('check', 'train', 'evaluate'),
  reason: fc.string(),
  limit: fc.constant(null),
  tail: fc.string(),
});
const metrics = fc.dictionary(
  fc.constantFrom('loss', 'bytes', 'accuracy'),
  fc.double({ noNaN: true, min: -1e6, max: 1e6 }),
);
const measured = fc.record({ failure: fc.option(failure, { nil: null }), metrics });
const evidence: fc.Arbitrary<Evidence> = fc.record({
  preflight: fc.option(failure, { nil: null }),
  trained: fc.option(measured, { nil: null }),
  evaluated: fc.option(
    fc.record({ failure: fc.option(failure, { nil: null }), metrics, feedback: fc.string() }),
    { nil: null },
  ),
  metric: fc.constant('loss'),
});

describe('what a trial comes to', () => {
  it('is open to a decision only when every phase ran without failure and no gate was missed', () => {
    fc.assert(
      fc.property(evidence, (found) => {
        const outcome = outcomeOf(task, found);
        if (outcome?.status !== 'discard' || outcome.failure !== null) return;
        expect(found.preflight ?? found.trained?.failure ?? found.evaluated?.failure ?? null).toBeNull();
        expect(found.evaluated).not.toBeNull();
        expect(outcome.score).not.toBeNull();
        expect(firstMiss(outcome.margins)).toBeUndefined();
      }),
    );
  });

  it('has the status of the first failure, whatever was measured later', () => {
    fc.assert(
      fc.property(evidence, failure, (found, first) => {
        expect(outcomeOf(task, { ...found, preflight: first })?.status).toBe(first.status);
      }),
    );
  });

  it.each([
    [{ bytes: 101 }, {}, 'size_blocked'],
    [{ bytes: 100 }, { loss: 1, accuracy: 0.89 }, 'disqualified'],
    [{ bytes: 100 }, { loss: 1, accuracy: 0.9 }, 'discard'],
  ] as const)('with %j from training and %j from evaluation is %s', (known, scored, status) => {
    const evaluated =
      Object.keys(scored).length === 0 ? null : { failure: null, metrics: scored, feedback: '' };
    const found = { preflight: null, trained: { failure: null, metrics: known }, evaluated, metric: 'loss' };
    expect(outcomeOf(task, found)?.status).toBe(status);
  });

  it('misses a gate by exactly what is over, and passes at the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (bytes) => {
        const [margin] = margins(task.gates, { bytes });
        expect(margin?.over).toBe(bytes - 100);
        expect(firstMiss(margins(task.gates, { bytes })) === undefined).toBe(bytes <= 100);
      }),
    );
  });
});

describe('what a trial comes to by several runs', () => {
  const run = (loss: number, bytes = 10, accuracy = 0.95): Run => ({
    trained: { failure: null, metrics: { bytes } },
    evaluated: { failure: null, metrics: { loss, accuracy }, feedback: '' },
  });
  const crashed: Run = {
    trained: {
      failure: { status: 'crash', phase: 'train', reason: 'exit code 1', limit: null, tail: '' },
      metrics: {},
    },
    evaluated: null,
  };
  const unended: Run = { trained: { failure: null, metrics: { bytes: 10 } }, evaluated: null };
  const statistical = {
    ...task,
    gates: task.gates.map((gate) =>
      gate.name === 'accuracy' ? { ...gate, test: 'statistical' as const } : gate,
    ),
  };
  const of = (runs: Run[], by = task, more: Partial<Judging> = {}) =>
    outcomeOfRuns(by, runs, { preflight: null, metric: 'loss', as: 'screen', start: [], ...more });

  it('is the mean of their metrics, with each score for itself', () => {
    const { outcome, scores } = of([run(1), run(2), run(6)]);
    expect(outcome).toMatchObject({ status: 'discard', score: 3, metrics: { bytes: 10, loss: 3 } });
    expect(scores).toEqual([1, 2, 6]);
  });

  it('is the failure of any of them, and leaves out what was cut short', () => {
    expect(of([run(1), crashed]).outcome).toMatchObject({ status: 'crash', score: null });
    expect(of([run(1), unended]).outcome).toMatchObject({ status: 'discard', score: 1 });
    expect(of([unended]).outcome).toBeNull();
    const hopeless = {
      status: 'discard',
      phase: 'train',
      reason: 'hopeless',
      limit: null,
      tail: '',
    } as const;
    const stopped: Run = { trained: { failure: hopeless, metrics: {} }, evaluated: null };
    expect(of([run(1), stopped])).toMatchObject({ outcome: { status: 'discard', score: null }, scores: [1] });
    expect(of([]).outcome).toBeNull();
  });

  it('holds every run to exact gates, and their mean to statistical ones', () => {
    expect(of([run(1, 100), run(1, 101)]).outcome?.status).toBe('size_blocked');
    const accuracies = [run(1, 10, 0.89), run(1, 10, 0.92)];
    expect(of(accuracies).outcome?.status).toBe('disqualified');
    expect(of(accuracies, statistical).outcome?.status).toBe('discard');
    expect(of([run(1, 10, 0.8), run(1, 10, 0.81)], statistical).outcome?.status).toBe('disqualified');
  });

  const told = (accuracy: number, error: number): Run => {
    const { evaluated, ...rest } = run(1, 10, accuracy);
    return { ...rest, evaluated: evaluated && { ...evaluated, standardErrors: { accuracy: error } } };
  };

  it.each<[string, Run[], Partial<Judging>, 'discard' | 'disqualified']>([
    ['beyond the limit within two standard errors, in the search', [told(0.891, 0.005)], {}, 'discard'],
    ['beyond it by more', [told(0.889, 0.005)], {}, 'disqualified'],
    ['kept, but not surely, in a claim', [told(0.908, 0.005)], { as: 'claim' }, 'disqualified'],
    ['surely kept, in a claim', [told(0.909, 0.005)], { as: 'claim' }, 'discard'],
    [
      'beyond it, with an error that more runs halve',
      Array<Run>(4).fill(told(0.891, 0.005)),
      {},
      'disqualified',
    ],
    ['beyond it by little beside the spread', [run(1, 10, 0.88), run(1, 10, 0.91)], {}, 'discard'],
    ['one run, of unknown error', [run(1, 10, 0.899)], {}, 'disqualified'],
    [
      'one run, beside the spread of the start',
      [run(1, 10, 0.899)],
      { start: [run(1, 10, 0.92), run(1, 10, 0.93)] },
      'discard',
    ],
    [
      'a large error of its own beside a small one of the start',
      [told(0.87, 0.086)],
      { start: [told(0.96, 0.001), told(0.961, 0.001)] },
      'disqualified',
    ],
    [
      'runs that differ more than those of the start',
      [run(1, 10, 0.7), run(1, 10, 0.99)],
      { start: [run(1, 10, 0.92), run(1, 10, 0.93)] },
      'disqualified',
    ],
    ['equal runs', [run(1, 10, 0.899), run(1, 10, 0.899)], {}, 'disqualified'],
  ])('at a statistical gate: %s', (_, runs, how, status) => {
    expect(of(runs, statistical, how).outcome?.status).toBe(status);
  });

  it('keeps an exact gate as it is, whatever error is told', () => {
    expect(of([told(0.899, 0.5)]).outcome?.status).toBe('disqualified');
    expect(of([told(0.9, 0.5)], task, { as: 'claim' }).outcome?.status).toBe('discard');
  });

  it('says how sure a miss is', () => {
    const lesson = (runs: Run[], how: Partial<Judging>) => of(runs, statistical, how).outcome?.lesson;
    expect(lesson([told(0.889, 0.005)], {})).toBe(
      "accuracy: accuracy is 0.889, allowed is at least 0.9: missed by 0.011, more than chance explains (the mean's standard error is 0.005)",
    );
    expect(lesson([told(0.908, 0.005)], { as: 'claim' })).toBe(
      "accuracy: accuracy is 0.908, allowed is at least 0.9, with 0.00825 to spare: only 0.008 is left (the mean's standard error is 0.005)",
    );
  });
});
