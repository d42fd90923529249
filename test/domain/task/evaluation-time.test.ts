import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { phaseOfMiss, statusOfMiss } from '../../../src/domain/task/gates.js';
import { parseTask } from '../../../src/tasks/load.js';
import { TINY } from '../../fixtures/tiny.js';

const TEXT = readFileSync(join(TINY, 'task.yaml'), 'utf8').replace(/gates:\n.*\n/, '');
const GATE = 'gates: [{ name: eval, metric: eval_s, max: 5, known: evaluate }]\n';
const served = (yaml: string): string =>
  yaml
    .replace('scoring: direct', 'scoring: served')
    .replace('phases:\n', "phases:\n  serve: { run: 'python train.py --serve', startup_s: 5 }\n");

it('the time that a server owes may be limited where there is one', () => {
  const { gates } = parseTask(`${served(TEXT)}${GATE}`, 't.yaml');
  const miss = { gate: 'eval', metric: 'eval_s' };
  expect([phaseOfMiss(miss), statusOfMiss(gates, miss)]).toEqual(['evaluate', 'disqualified']);
});

it.each([
  [`${TEXT}${GATE}`, 'scoring is direct'],
  [`${served(TEXT)}decision_metric: eval_s\n`, 'may be limited by a gate, not decide'],
])('it is refused elsewhere', (yaml, message) => {
  expect(() => parseTask(yaml, 't.yaml')).toThrow(message);
});
