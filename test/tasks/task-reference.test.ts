import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { knobsOf } from '../../src/domain/text/knobs.js';
import { KNOBS, renderTaskReference } from './task-reference.js';

const PAGE = fileURLToPath(new URL('../../docs/task-reference.md', import.meta.url));

it('docs/task-reference.md is what the schemas say (ASSAY_RECORD=1 writes it again)', async () => {
  if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(PAGE, renderTaskReference());
  expect(await readFile(PAGE, 'utf8')).toBe(renderTaskReference());
});

it('says of every field of a task what it means', () => {
  const silent = renderTaskReference()
    .split('\n')
    .filter((line) => line.startsWith('| `') && / \| {2}\|$/.test(line) && !line.includes('| object |'));
  expect(silent).toEqual([]);
});

it('shows knobs as they are marked', () => {
  for (const knob of KNOBS) expect(knobsOf(knob), knob).toHaveLength(1);
});
