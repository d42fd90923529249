import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { execa } from 'execa';
import { namesIn } from '../host/disk-use.js';

const MAGIC = Buffer.from('\x7fELF', 'latin1');
/** Files that one `ldd` is asked of. */
const AT_ONCE = 64;
/** Files that are looked at before others get a turn. */
const TURN = 500;
const LONGEST_MS = 60_000;

/**
 * Libraries that programs and libraries load when they start, by the loader's own answer, and the loader itself. `more`:
 * names that are added where the others lie, for what is loaded later. Those of the host's own system, so that `ldd`
 * may be asked.
 */
export async function librariesOf(files: readonly string[], more: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const binaries: string[] = [];
  for (const [index, path] of files.entries()) {
    if (index % TURN === 0) await setImmediate();
    if (isElf(path)) binaries.push(path);
  }
  for (let at = 0; at < binaries.length; at += AT_ONCE) {
    const asked = binaries.slice(at, at + AT_ONCE);
    // what is linked statically makes it exit with 1, and the others are answered all the same
    const { stdout } = await execa('ldd', asked, {
      reject: false,
      timeout: LONGEST_MS,
      env: { LC_ALL: 'C', LD_LIBRARY_PATH: '' },
    });
    for (const [, path = ''] of stdout.matchAll(/^\t(?:.* => )?(\/\S.*?) \(0x[0-9a-f]+\)$/gm))
      found.add(path);
  }
  for (const folder of new Set([...found].map((path) => dirname(path))))
    for (const name of namesIn(folder)) if (more.includes(name)) found.add(join(folder, name));
  return [...found].sort();
}

function isElf(path: string): boolean {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const start = Buffer.alloc(MAGIC.length);
      return readSync(descriptor, start, 0, start.length, 0) === start.length && start.equals(MAGIC);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
}
