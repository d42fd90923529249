import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CACHE_PATH } from '../../src/sandbox/run.js';
import { PrivateRoots } from '../../src/sandbox/private-root/roots.js';
import { supervise } from '../../src/sandbox/supervision/supervise.js';
import { openSandbox } from '../../src/sandbox/sandbox.js';
import { findBubblewrap, TIER_C } from '../../src/sandbox/tiers/bubblewrap.js';
import { lacks } from '../lacks.js';
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

describe.each([
  ['mounted', true],
  ['copied', false],
])('a server in a %s root', (_, mounts) => {
  it('writes into a copy of its cache in memory', async ({ skip }) => {
    if (lacks(mounts && process.getuid?.() !== 0, 'only root mounts roots')) skip();
    const found = await findBubblewrap();
    if (!('bubblewrap' in found)) return skip(found.why);
    const own = cache();
    const request = requestFor(COMMAND, { cache: own, writable: [], cwd: '/' });
    const seen = { ...request, writable: [own.folder], env: { ...request.env, ASSAY_CACHE: CACHE_PATH } };
    const runtime = { paths: ['/bin/cat'], folders: [] };
    const roots = new PrivateRoots(found.bubblewrap, freshFolder(), mounts);
    const made = await roots.launch({ ...seen, readable: [], runtime }, COMMAND.replace('cat', '/bin/cat'));
    if (!('launch' in made)) return skip(made.why);
    expect(made.rootBytes).toBeGreaterThan(own.bytes);
    const plan = { launch: made.launch, request: seen, isolation: TIER_C, log: 'stdout', extra: 0 } as const;
    const { log, ending } = await supervise(plan).done;
    expect(log).toBe(`${CACHE_PATH}\nx`);
    expect(ending).toEqual({ kind: 'exited', code: 0 });
    expect(readdirSync(own.folder)).toEqual(['compiled']);
  });
});
