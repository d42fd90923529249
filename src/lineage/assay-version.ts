import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function versionAbove(folder: string): string {
  const file = join(folder, 'package.json');
  if (existsSync(file)) {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const known = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
    return known ? String(manifest.version) : 'unknown';
  }
  const parent = dirname(folder);
  return parent === folder ? 'unknown' : versionAbove(parent);
}

/**
 * Version of this package, as `--version` prints it and stored documents name it. Plain code of Node alone: every
 * command loads it.
 */
export const ASSAY_VERSION = versionAbove(dirname(fileURLToPath(import.meta.url)));
