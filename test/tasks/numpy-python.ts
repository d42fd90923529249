import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withLock } from '../../src/dev/process/lock.js';

const run = promisify(execFile);
export const BYTE_GOLF = join(import.meta.dirname, '../../tasks/byte-golf');
/** Folder of what evaluators of served tasks import. */
export const KIT = join(import.meta.dirname, '../../evaluator-kit');
/** Folder of servers, honest and not, for the kit: `adversaries.py`. */
export const ADVERSARIES = join(import.meta.dirname, '../../bench/serving');

/** The folder with a `python` that has the requirements of byte-golf, made once a machine. */
export async function numpyPython(): Promise<string> {
  const list = join(BYTE_GOLF, 'requirements.txt');
  const key = createHash('sha256').update(await readFile(list));
  const folder = join(tmpdir(), 'assay-test-venv', key.digest('hex').slice(0, 12));
  const complete = join(folder, 'complete');
  // files that need it run side by side
  await withLock(
    `${folder}.lock`,
    () => undefined,
    async () => {
      const made = await access(complete).then(
        () => true,
        () => false,
      );
      if (made) return;
      await run('python3', ['-m', 'venv', folder]);
      await run(join(folder, 'bin/python'), ['-m', 'pip', 'install', '-q', '-r', list]);
      await writeFile(complete, '');
    },
  );
  return join(folder, 'bin');
}
