import { expect, it } from 'vitest';
import { failurePlace } from '../../src/domain/trial/traceback.js';

const FILES = ['train.py', 'lib/model.py', 'model.py'];
const trace = (...frames: string[]): string =>
  ['step 1', 'Traceback (most recent call last):', ...frames, 'ValueError: shapes differ', ''].join('\n');
const MAIN = '  File "/run/7/recipe/train.py", line 90, in <module>\n    main()';
const OWN = '  File "/run/7/recipe/lib/model.py", line 41, in step\n    return a @ b';
const LIBRARY = '  File "/usr/lib/python3/numpy/core.py", line 7, in matmul\n    raise';

it.each([
  ['the innermost frame of the recipe', trace(MAIN, OWN), 'lib/model.py', 41, 'step'],
  ['the recipe’s frame where a library raised', trace(MAIN, LIBRARY), 'train.py', 90, null],
  ['the library’s where no frame is the recipe’s', trace(LIBRARY), 'core.py', 7, 'matmul'],
  ['the last of several tracebacks', trace(OWN) + trace(MAIN), 'train.py', 90, null],
])('finds %s', (_, log, file, line, within) => {
  expect(failurePlace(log, FILES)).toEqual({ file, line, within, error: 'ValueError: shapes differ' });
});

it('finds the place of a syntax error', () => {
  const log = '  File "/run/7/recipe/train.py", line 3\n    def (:\n        ^\nSyntaxError: invalid syntax';
  expect(failurePlace(log, FILES)).toEqual({
    file: 'train.py',
    line: 3,
    within: null,
    error: 'SyntaxError: invalid syntax',
  });
});

it.each(['', 'loss 3.1', 'Traceback (most recent call last):', 'File "x'])('finds no place in %j', (log) => {
  expect(failurePlace(log, FILES)).toBeNull();
});
