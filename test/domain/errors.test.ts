import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { BAD_INPUTS, renderErrors } from '../bad-input/table/error-table.js';
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
  let width = 0;
  for (const line of renderErrors().split('\n')) {
    const cells = line.startsWith('|') ? line.replaceAll('\\|', '').split('|').length : 0;
    // a table has the width of its first row
    if (width === 0 || cells === 0) width = cells;
    expect(cells, line).toBe(width);
  }
});

it('a row about bad input is shown by the test that it names', async () => {
  for (const [name, { shownBy }] of Object.entries(BAD_INPUTS))
    expect(await readFile(join(ROOT, shownBy), 'utf8'), `${shownBy} on ${name}`).toContain(`'${name}'`);
});

it('every code says what to do in one sentence', () => {
  for (const [code, { remedy }] of Object.entries(ERRORS)) expect(remedy, code).toMatch(/^[A-Z`].*\.$/);
});
