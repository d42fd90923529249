import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { claimedMeasure, comparesTimes, decisionMeasure, TIME_RATIO } from '../../src/domain/task/task.js';
import { parseTask } from '../../src/tasks/load.js';
import { seeded, TINY } from '../fixtures/tiny.js';

const TEXT = seeded(readFileSync(join(TINY, 'task.yaml'), 'utf8'));
const task = (metric: string, ...more: string[]) =>
  parseTask(TEXT.replace(/^metric: .*$/m, [`metric: ${metric}`, ...more].join('\n')), 't.yaml');
const CORE = '{ name: core, unit: points, direction: maximize, limit: 1 }';

it('a search is steered by its own metric in its own direction, and claims the headline', () => {
  const steered = task(CORE, 'decision_metric: { name: bpb, direction: minimize }');
  expect(decisionMeasure(steered)).toEqual({ name: 'bpb', unit: '', direction: 'minimize' });
  expect(claimedMeasure(steered)).toEqual(steered.metric);
  const named = task(CORE, 'decision_metric: core_small');
  expect(decisionMeasure(named)).toMatchObject({ name: 'core_small', direction: 'maximize' });
  for (const plain of [task(CORE), task(CORE, 'decision_metric: core')]) {
    expect(decisionMeasure(plain)).toEqual(plain.metric);
    expect(comparesTimes(plain)).toBe(false);
  }
});

it('times are decided on and claimed as a ratio, of which less is better', () => {
  const timed = task('{ name: train_s, unit: s, direction: minimize }', `decision_metric: ${TIME_RATIO}`);
  expect(decisionMeasure(timed)).toEqual({ name: TIME_RATIO, unit: '', direction: 'minimize' });
  expect(claimedMeasure(timed)).toEqual(decisionMeasure(timed));
  expect(comparesTimes(timed)).toBe(true);
});
