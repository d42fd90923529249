import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ATTACKS, renderSecurity } from './table.js';

const PAGE = join(fileURLToPath(new URL('../..', import.meta.url)), 'docs/security.md');

it('docs/security.md is what the attacks are run for (ASSAY_RECORD=1 writes it again)', async () => {
  if (process.env['ASSAY_RECORD'] !== undefined) await writeFile(PAGE, renderSecurity());
  expect(await readFile(PAGE, 'utf8')).toBe(renderSecurity());
});

it('each attack has a name of its own', () => {
  const names = ATTACKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});
