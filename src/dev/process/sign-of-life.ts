import { statSync } from 'node:fs';
import { stat, utimes, writeFile } from 'node:fs/promises';

/** A file that was not touched for so long belongs to nobody who lives: that one touches it every few seconds. */
const SILENT_MS = 30_000;

/** Touches a file, so that whoever cannot look at this process sees that it lives. */
export async function showLife(file: string): Promise<void> {
  const now = new Date();
  await utimes(file, now, now);
}

/** Makes the file that {@link showLife} touches. */
export async function beginToShowLife(file: string): Promise<void> {
  await writeFile(file, '', { mode: 0o600 });
  // by the clock of this host, which a file server's may not agree with
  await showLife(file);
}

/** Returns true when a file was written or touched lately. */
export async function showsLife(file: string): Promise<boolean> {
  return stat(file).then(isLately, () => false);
}

/** As {@link showsLife}, without waiting. */
export function showsLifeNow(file: string): boolean {
  return isLately(statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0 });
}

const isLately = ({ mtimeMs }: { mtimeMs: number }): boolean => Date.now() - mtimeMs < SILENT_MS;
