import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { expect, it } from 'vitest';
import { programOnPath } from '../../../src/sandbox/tiers/launch.js';
import { lacks } from '../../lacks.js';

const MODULE = new URL('../../../src/sandbox/process/inherited-descriptors.ts', import.meta.url).href;
const CODE = `
const { closeInheritedDescriptors } = await import(${JSON.stringify(MODULE)});
const { execFileSync } = await import('node:child_process');
const seen = () => execFileSync('sh', ['-c', 'ls -l /proc/self/fd'], { encoding: 'utf8' }).includes('/etc');
const before = seen();
closeInheritedDescriptors();
console.log(JSON.stringify({ before, after: seen() }));`;

const shape = z.object({ before: z.boolean(), after: z.boolean() });
// a plain shell takes one digit only, and of the first descriptors Node takes care itself
const bash = programOnPath('bash');

const isMissing = lacks(
  process.platform !== 'linux' || bash === null,
  'inherited descriptors, which need Linux and bash',
);
it.skipIf(isMissing)('a folder that a process was started with does not reach what it starts', async () => {
  const script = 'exec 200</etc; exec "$0" --import tsx --input-type=module -e "$1"';
  const { stdout } = await promisify(execFile)(bash ?? '', ['-c', script, process.execPath, CODE]);
  expect(shape.parse(JSON.parse(stdout))).toEqual({ before: true, after: false });
});

if (bash === null) process.stderr.write('inherited descriptors are not tested here: there is no bash\n');
