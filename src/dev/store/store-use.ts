import { mkdir, stat, utimes, writeFile } from 'node:fs/promises';
import type { Home } from '../paths.js';

/** Notes that a reading command uses the store now. */
export async function noteUse(home: Home): Promise<void> {
  await mkdir(home.folder, { recursive: true, mode: 0o700 });
  await writeFile(home.storeUsed, '', { mode: 0o600 });
  // by the clock of this host, which a file server's may not agree with
  await utimes(home.storeUsed, new Date(), new Date());
}

/** Milliseconds since a reading command last used the store. */
export async function sinceUse(home: Home): Promise<number> {
  const used = await stat(home.storeUsed).catch(() => null);
  return used === null ? Infinity : Date.now() - used.mtimeMs;
}
