import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../domain/digest.js';
import { mirrorFolder, tasksHome } from '../home.js';

/** Where upstream files come from and stay. */
export interface SourceSettings {
  /** Folder of files that were brought once, by their digest. */
  cache: string;
  /** Folder with copies of repositories, `OWNER/NAME` or `NAME`; null where there is none. */
  mirror: string | null;
  signal: AbortSignal;
}

/** Settings as the environment says: the cache lies in ASSAY_HOME, the mirror is ASSAY_MIRROR. */
export function sourceSettings(
  signal: AbortSignal = new AbortController().signal,
  env: NodeJS.ProcessEnv = process.env,
): SourceSettings {
  return { cache: join(tasksHome(env), 'sources'), mirror: mirrorFolder(env), signal };
}

const placeOf = (cache: string, digest: string): string => join(cache, digest.slice(0, 2), digest);

/** The bytes of a file that was brought before; null where it was not, or is damaged. */
export async function cachedFile(cache: string, digest: string): Promise<Buffer | null> {
  const bytes = await readFile(placeOf(cache, digest)).catch(() => null);
  if (bytes === null || sha256(bytes) === digest) return bytes;
  await rm(placeOf(cache, digest), { force: true });
  return null;
}

/** Keeps the bytes of a file under their digest. */
export async function cacheFile(cache: string, bytes: Buffer): Promise<void> {
  const place = placeOf(cache, sha256(bytes));
  const fresh = `${place}.${randomUUID()}`;
  await mkdir(dirname(place), { recursive: true });
  await writeFile(fresh, bytes);
  await rename(fresh, place);
}
