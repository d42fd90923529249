import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { openLineage, type Lineage } from '../../../src/lineage/lineage.js';
import { keepOutputs, whereabouts, writeOutputs } from '../../../src/measure/phases/kept-outputs.js';
import { seal, sealTo } from '../../../src/sandbox/sealing/seal.js';
import { hostStore } from '../../builders/host-context.js';
import { freshFolder } from '../../sandbox/programs.js';

let lineage: Lineage;
beforeAll(async () => {
  lineage = await openLineage({ url: inject('storeUrl'), database: `kept_outputs_${process.pid}` });
});
afterAll(() => lineage.close());

const LIMITS = { maxBytes: 1_000_000, maxEntries: 10 };

/** Everything of a tree that a program could read from it. */
const seen = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const { mode, mtimeMs } = statSync(join(folder, path));
      return `${path} ${mode.toString(8)} ${mtimeMs}`;
    });

async function sealedOutputs() {
  const out = freshFolder();
  mkdirSync(join(out, 'deep'));
  for (const path of ['a', 'deep/b']) writeFileSync(join(out, path), path.repeat(9));
  const folder = join(freshFolder(), 'sealed');
  return { folder, sealed: await sealTo(out, folder, LIMITS) };
}

it.each([
  ['in the store', 1_000_000],
  ['on the host', 0],
])('outputs kept %s come back as they were sealed', async (_where, storedUpTo) => {
  const context = { lineage, kept: await hostStore(freshFolder()) };
  const { folder, sealed } = await sealedOutputs();
  const kept = await keepOutputs(context, { replicate: 'r', folder, sealed, storedUpTo, must: false });
  if (kept === null) throw new Error('there was room');
  expect(kept.onHost?.folder).toBe(storedUpTo === 0 ? context.kept.place.folder : undefined);
  expect(await whereabouts(context, 'r', kept)).toBe('here');
  const to = freshFolder();
  writeFileSync(join(to, 'old'), 'what lay here');
  await writeOutputs(context, kept, to);
  expect(seen(to)).toEqual(seen(folder));
  expect((await seal(to, LIMITS)).digest).toBe(sealed.digest);
});

it('outputs without room are kept only where they must be', async () => {
  const context = { lineage, kept: await hostStore(freshFolder(), { env: { ASSAY_KEPT_MB: '0' } }) };
  const { folder, sealed } = await sealedOutputs();
  const asked = { replicate: 'r', folder, sealed, storedUpTo: 0 };
  expect(await keepOutputs(context, { ...asked, must: false })).toBeNull();
  const kept = await keepOutputs(context, { ...asked, must: true });
  expect(kept?.onHost).toEqual({ ...context.kept.place, gone: null });
});

it('outputs of another host are elsewhere, and those that left are gone', async () => {
  const [one, two] = [await hostStore(freshFolder()), await hostStore(freshFolder())];
  const { folder, sealed } = await sealedOutputs();
  const asked = { replicate: 'r', folder, sealed, storedUpTo: 0, must: true };
  const kept = await keepOutputs({ lineage, kept: one }, asked);
  if (kept?.onHost == null) throw new Error('it is on the host');
  expect(await whereabouts({ kept: two }, 'r', kept)).toBe('elsewhere');
  const gone = { ...kept, onHost: { ...kept.onHost, gone: new Date() } };
  expect(await whereabouts({ kept: one }, 'r', gone)).toBe('gone');
  const files = [{ path: 'never', sha256: 'f'.repeat(64), bytes: 1 }];
  expect(await whereabouts({ kept: one }, 'r', { ...kept, files })).toBe('gone');
});
