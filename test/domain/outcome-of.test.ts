import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstMiss, margins } from '../../src/domain/gates.js';
import { outcomeOf, type Evidence } from '../../src/domain/outcome-of.js';
import { TRIAL_STATUSES } from '../../src/domain/statuses.js';
import { taskSchema } from '../../src/domain/task.js';

const task = taskSchema.parse({
  schema: 'assay.task/1',
  name: 'tiny',
  title: 'tiny',
  metric: { name: 'loss', unit: '', direction: 'minimize' },
  recipe: { editable: ['train.py'] },
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
