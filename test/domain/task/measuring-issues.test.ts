import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { leaseBoundMs } from '../../../src/domain/task/bounds.js';
import { parseTask } from '../../../src/tasks/load.js';
import { IMAGES } from '../../fixtures/tiny.js';

const YAML = readFileSync(join(IMAGES, 'task.yaml'), 'utf8');

it.each([
  ['scoring: direct', 'scoring: served', /replicate\.processes: .*a server has one/],
  ['replicate: { processes: 3 }\nscoring: direct', 'scoring: served', /data\.reveal: with scoring "served"/],
  ['replicate: {', 'replicate: { deterministic: true,', /replicate\.processes: a deterministic task/],
  ['    output: out/', '    output: out/\n  pack: { run: x, timeout_s: 1, output: o/ }', /packing makes one/],
  ['folder: test/', 'folder: train/more', /"train\/more" and "train\/" overlap/],
  ['folder: test/', 'folder: ./', /overlap/],
  [', warmup_timeout_s: 30', '', /warmup_timeout_s: it is needed with `from: ready`, and only there/],
  ['from: ready', 'from: data_visible', /warmup_timeout_s: it is needed with `from: ready`, and only there/],
])('refuses a task with %s as %s', (from, to, reason) => {
  expect(() => parseTask(YAML.replace(from, to), 'task.yaml')).toThrow(reason);
});

it('holds a lease for every process, with its warm-up, and as much again for the start beside it', () => {
  const bound = (yaml: string): number =>
    leaseBoundMs(parseTask(yaml, 'task.yaml'), null, { trained: false, packed: true, warm: true });
  // a budget of 30 s with its tolerance of 3, after a warm-up of 30; twice, for a run that is late on a slow host
  expect(bound(YAML)).toBe(3 * 2 * (33 + 30) * 1000);
  const timed = `${YAML}gates: [{ name: time, metric: train_ratio, max: 2, known: train }]\n`;
  expect(bound(timed)).toBe(3 * 3 * (33 + 30) * 1000);
});
