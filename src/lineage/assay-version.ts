import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const manifestSchema = z.object({ version: z.string() });

function versionAbove(folder: string): string {
  const file = join(folder, 'package.json');
  if (existsSync(file)) return manifestSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
  const parent = dirname(folder);
  return parent === folder ? 'unknown' : versionAbove(parent);
}

/** Version of this package, as stored documents name it. */
export const ASSAY_VERSION = versionAbove(dirname(fileURLToPath(import.meta.url)));
