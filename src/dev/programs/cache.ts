import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { removeOnExit } from '../../sandbox/process/kill-on-exit.js';
import { hasFiles, isCode, parsedJson, replaceFile, sha256Of, textOf } from '../files.js';
import { cacheFolder } from '../paths.js';

const MANIFEST = 'sha256.json';
const manifestShape = z.record(z.string(), z.string());

/** Digests by path, relative to the folder. */
export type Manifest = Readonly<Record<string, string>>;

/** The folder of this name in the cache when it is there and unchanged, else null. */
export async function provisioned(name: string, pinned: Manifest = {}): Promise<string | null> {
  const folder = join(cacheFolder(), name);
  if (!(await hasFiles(folder))) return null;
  const recorded = manifestShape.safeParse(parsedJson((await textOf(join(folder, MANIFEST))) ?? ''));
  if (!recorded.success) throw new Error(`${folder} is not complete: remove it and try again`);
  await check(folder, { ...recorded.data, ...pinned });
  return folder;
}

/**
 * Fills a folder of the cache, once for all clones. Pinned digests are checked now and at every later use; for the
 * other files the digest of this first time is recorded and checked at every later use. Two processes may do this
 * at once: one of them wins, and both use its folder.
 */
export async function provision(
  name: string,
  pinned: Manifest,
  fill: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(cacheFolder(), name);
  const fresh = join(cacheFolder(), `.fresh-${randomUUID()}`);
  await mkdir(fresh, { recursive: true });
  const gone = removeOnExit(fresh);
  try {
    await fill(fresh);
    await check(fresh, pinned);
    await replaceFile(join(fresh, MANIFEST), JSON.stringify(await digests(fresh), null, 2));
    await rename(fresh, folder).catch((error: unknown) => {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
    gone();
  }
  await check(folder, pinned);
  return folder;
}

async function check(folder: string, manifest: Manifest): Promise<void> {
  await Promise.all(
    Object.entries(manifest).map(async ([path, wanted]) => {
      const found = await sha256Of(join(folder, path)).catch(() => 'missing');
      if (found !== wanted) {
        throw new Error(
          `${join(folder, path)} has sha256 ${found}, expected ${wanted}: remove ${folder} and try again`,
        );
      }
    }),
  );
}

async function digests(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    found[file.slice(folder.length + 1)] = await sha256Of(file);
  }
  return found;
}
