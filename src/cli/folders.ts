import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeOf } from '../dev/paths.js';

/** The folder that assay runs from: the clone, or the installed package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The tasks that come with assay. */
export const BUNDLED_TASKS = join(ROOT, 'tasks');

/** The folder of what assay keeps for this clone. */
export function homeFolder(): string {
  return homeOf(ROOT);
}
