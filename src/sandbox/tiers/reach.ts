import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { AssayError } from '../../domain/errors.js';

export const [READ, WRITE, CROSS] = [4, 2, 1];

/** @throws AssayError HOST_FAULT when a user without groups cannot come to a path */
export function requireReach(path: string, uid: number): void {
  const stat = statSync(path);
  const wanted = stat.isDirectory() ? READ | CROSS : READ;
  const closed = lets(stat, uid, wanted) ? closedAbove(path, uid) : path;
  if (closed === null) return;
  throw new AssayError(
    'HOST_FAULT',
    `a user of its own, as tier D has it, cannot come to ${path}: ${closed} is closed`,
    {
      remedy:
        'Set ASSAY_HOME, ASSAY_CACHE and ASSAY_PYTHON to places that all users may read, or install bubblewrap.',
    },
  );
}

/** The nearest folder above a path that a user may not pass through; null when there is none. */
export function closedAbove(path: string, uid: number): string | null {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!lets(statSync(folder), uid, CROSS)) return folder;
    if (folder === dirname(folder)) return null;
  }
}

/** Returns true when the mode of a file gives a user without groups all of the wanted bits. */
export function lets(stat: { uid: number; mode: number }, uid: number, wanted: number): boolean {
  const bits = stat.uid === uid ? stat.mode >> 6 : stat.mode;
  return (bits & wanted) === wanted;
}
