import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  folderWarnings,
  measuredWarnings,
  type MeasuredStart,
} from '../../../src/domain/task/task-warnings.js';
import type { Task } from '../../../src/domain/task/task.js';
import { parseTask } from '../../../src/tasks/load.js';
import { TINY } from '../../fixtures/tiny.js';

const TEXT = readFileSync(join(TINY, 'task.yaml'), 'utf8');
/** The tiny task, which counts no size, with one text replaced. */
const task = (from: string, to: string): Task =>
  parseTask(TEXT.replace(/gates:\n.*\n/, '').replace(from, to), 't.yaml');
const START = { path: 'train.py', text: 'X = 1.0  # knob: -10..10\n' };

describe('the folder of a task', () => {
  it.each<[string, string, string, RegExp | null]>([
    ['', '', START.text, null],
    ["editable: ['train.py']", "editable: ['train.py', 'x.py']", START.text, /editable: "x\.py" matches no/],
    ["counted: ['train.py']", "counted: ['train.py', 'x.py']", START.text, /counted: "x\.py" matches no/],
    ['', '', 'X = 1.0\n', /nothing to turn/],
    ['knobs: marked', 'knobs: none', START.text, /"none", though/],
    ['', '', `${START.text}${START.text}`, /X is marked in several places/],
    ['', '', 'X = 0  # knob: 0..10 log\n', /range of the knob X in train\.py is empty/],
  ])('with "%s" as "%s" and %j', (from, to, text, warning) => {
    const found = folderWarnings(task(from, to), [{ ...START, text }]);
    if (warning === null) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringMatching(warning)]);
  });
});

describe('two measurements of the start', () => {
  const run = (seed: number, artifact: string, loss: number, trainS = 1): MeasuredStart => ({
    seed,
    artifact,
    trainS,
    evaluateS: 1,
    metrics: { loss },
    notes: [],
  });
  const noisy = task('deterministic: true', 'deterministic: false');

  it.each<[string, Task, MeasuredStart[], RegExp | null]>([
    ['that differ', noisy, [run(1, 'a', 1), run(2, 'b', 2)], null],
    ['one of which is missing', noisy, [run(1, 'a', 1)], null],
    ['of one artifact', noisy, [run(1, 'a', 1), run(2, 'a', 1)], /its seed is fixed/],
    ['of one score', noisy, [run(1, 'a', 1), run(2, 'b', 1)], /nothing is known of its noise/],
    [
      'of one artifact, decided by time',
      task('replicate: { deterministic: true }', 'decision_metric: train_ratio'),
      [run(1, 'a', 1), run(2, 'a', 1)],
      null,
    ],
    ['that are declared alike and are', task('', ''), [run(1, 'a', 1), run(2, 'a', 1)], null],
    ['that are declared alike and are not', task('', ''), [run(1, 'a', 1), run(2, 'b', 2)], /scored 1 and 2/],
    ['near a limit', noisy, [run(1, 'a', 1, 50), run(2, 'b', 2)], /training took 50\.0 s of the 60 s/],
    ['with a note', noisy, [{ ...run(1, 'a', 1), notes: ['cut'] }, run(2, 'b', 2)], /^cut$/],
  ])('%s', (_what, of, runs, warning) => {
    const found = measuredWarnings(of, runs);
    if (warning === null) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringMatching(warning)]);
  });
});
