import { mkdir } from 'node:fs/promises';
import { findPython } from './python.js';

/**
 * Lists what runs read: their folders, environments in the cache, and a Python that may not be installed yet.
 */
export async function neededByRuns(work: string, cache: string): Promise<string[]> {
  await mkdir(cache, { recursive: true });
  const python = await findPython(cache, null, new AbortController().signal).catch(() => null);
  return [work, cache, ...(python?.folders ?? [])];
}
