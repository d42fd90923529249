import { expect, it } from 'vitest';
import { exclusiveEvaluation } from '../../src/domain/task/task.js';

it.each([
  [undefined, { search: false, claim: true }],
  [true, { search: true, claim: true }],
  [false, { search: false, claim: false }],
])('a task that says %s of exclusive evaluations has %o', (exclusive, resolved) => {
  expect(exclusiveEvaluation({ evaluate: { run: 'true', timeout_s: 1, gpus: 0, exclusive } })).toEqual(
    resolved,
  );
});
