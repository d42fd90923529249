import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { BAD_INPUTS, renderErrors } from '../../src/analysis/error-table.js';
import { ERRORS } from '../../src/domain/errors.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = join(ROOT, 'docs/errors.md');

it('docs/errors.md is what the registry says (ASSAY_RECORD=1 writes it again)', async () => {
  if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(PAGE, renderErrors());
  expect(await readFile(PAGE, 'utf8')).toBe(renderErrors());
});

it('every error is one row, and no cell breaks a table', () => {
  const rows = renderErrors()
    .split('\n')
    .filter((line) => line.startsWith('|'));
  for (const code of Object.keys(ERRORS))
    expect(rows.filter((row) => row.startsWith(`| \`${code}\` |`))).toHaveLength(1);
  const columns = new Set(rows.map((row) => row.replaceAll('\\|', '').split('|').length - 2));
  expect(columns).toEqual(new Set([5, 4]));
});

it('a row about bad input names a test that exists, or is marked as read from the code', () => {
  for (const { input, tested } of BAD_INPUTS) {
    if (tested === null) expect(renderErrors()).toContain(`| ${input.replaceAll('|', '\\|')} † |`);
    else expect(existsSync(join(ROOT, tested.by)), `${input}: ${tested.by}`).toBe(true);
  }
});

it('every code says what to do in one sentence', () => {
  for (const [code, { remedy }] of Object.entries(ERRORS)) expect(remedy, code).toMatch(/^[A-Z`].*\.$/);
});
