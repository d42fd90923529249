import { randomUUID } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlessMissing } from '../../sandbox/process/missing.js';

/** Reads the id of a folder; the first process to use it gives it one. */
export async function folderId(folder: string): Promise<string> {
  const file = join(folder, 'id');
  const known = await unlessMissing(readFile(file, 'utf8'));
  if (known !== null) return known.trim();
  const draft = join(folder, `id~${randomUUID()}`);
  await writeFile(draft, randomUUID().slice(0, 8));
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await readFile(file, 'utf8')).trim();
}
