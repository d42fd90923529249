import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLONE = fileURLToPath(new URL('../..', import.meta.url));

/** Folder of what tasks bring from elsewhere: ASSAY_HOME, else `.assay` in the clone. */
export function tasksHome(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['ASSAY_HOME'] || join(CLONE, '.assay'));
}

/** Folder with copies of what is brought from elsewhere, which ASSAY_MIRROR names; null where there is none. */
export function mirrorFolder(env: NodeJS.ProcessEnv = process.env): string | null {
  const mirror = env['ASSAY_MIRROR'];
  return mirror === undefined || mirror === '' ? null : resolve(mirror);
}
