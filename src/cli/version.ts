import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './context.js';

const manifest = z.object({ version: z.string() });

/** The version of this package; built files lie one folder below its manifest. */
export function packageVersion(): string {
  const file = [join(ROOT, 'package.json'), join(ROOT, '..', 'package.json')].find((path) =>
    existsSync(path),
  );
  return file === undefined ? 'unknown' : manifest.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}
