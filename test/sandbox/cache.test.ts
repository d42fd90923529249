import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CACHE_PATH } from '../../src/sandbox/run.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { TIERS, freshFolder, requestFor } from './programs.js';

/** A cache with one file in it. */
function cache() {
  const folder = join(freshFolder(), 'own');
  mkdirSync(folder);
  writeFileSync(join(folder, 'compiled'), 'x');
  return { folder, bytes: 4096 };
}

const COMMAND = 'echo "$ASSAY_CACHE"; cat "$ASSAY_CACHE/compiled"; echo lock > "$ASSAY_CACHE/lock"';

describe.each(TIERS)('tier %s', (tier) => {
  it('gives a run its cache to write in, at one path where it has a root of its own', async () => {
    const own = cache();
    const result = await (await openSandbox({ tier })).run(requestFor(COMMAND, { cache: own }));
    expect(result.ending).toEqual({ kind: 'exited', code: 0 });
    expect(result.log).toBe(`${tier < 'D' ? CACHE_PATH : own.folder}\nx`);
    expect(readFileSync(join(own.folder, 'lock'), 'utf8')).toBe('lock\n');
  });
});
