import { readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sha256 } from '../../../src/domain/digest.js';
import { collectHostGarbage } from '../../../src/measure/host-store/host-garbage.js';
import type { HostStore } from '../../../src/measure/host-store/host-store.js';
import { hostStore } from '../../builders/host-context.js';
import { freshFolder } from '../../sandbox/programs.js';

const MIB = 1024 * 1024;
/** A bound of 3 MiB. */
const env = { ASSAY_KEPT_MB: '3' };

/** Puts 1 MiB that was used last at this time, in seconds; returns its digest. */
async function put(store: HostStore, folder: string, name: string, usedAt: number): Promise<string> {
  const content = Buffer.alloc(MIB, name);
  const path = join(freshFolder(), 'file');
  writeFileSync(path, content);
  const digest = sha256(content);
  await store.putFile({ path, sha256: digest, bytes: MIB });
  utimesSync(join(folder, 'content', digest), usedAt, usedAt);
  return digest;
}

const kept = (folder: string): string[] => readdirSync(join(folder, 'content')).sort();

it('workers of one home share its content and its id, and another home has another id', async () => {
  const folder = freshFolder();
  const [one, two, other] = await Promise.all([
    hostStore(folder),
    hostStore(folder),
    hostStore(freshFolder()),
  ]);
  expect(two.place).toEqual(one.place);
  expect(other.place.folder).not.toBe(one.place.folder);
  const digest = await put(one, folder, 'shared', 1);
  expect([await two.has(digest), await other.has(digest)]).toEqual([true, false]);
});

it('makes room by what was used longest ago, says what has left, and keeps what is pinned', async () => {
  const folder = freshFolder();
  const left: string[] = [];
  const needed = new Set(['running', 'forgotten']);
  const store = await hostStore(folder, {
    env,
    isNeeded: (replicate) => Promise.resolve(needed.has(replicate)),
    onLeft: (_place, digests) => Promise.resolve(void left.push(...digests)),
  });
  const [pinned, old, newer] = [
    await put(store, folder, 'pinned', 1),
    await put(store, folder, 'old', 2),
    await put(store, folder, 'newer', 3),
  ];
  await store.pin('running', [pinned]);
  expect(await store.makeRoom(MIB, { must: false })).toBe(true);
  expect([kept(folder), left]).toEqual([[pinned, newer].sort(), [old]]);
  // no room can be made for so much: nothing leaves for it, unless it has to be kept
  expect(await store.makeRoom(3 * MIB, { must: false })).toBe(false);
  expect(kept(folder)).toEqual([pinned, newer].sort());
  expect(await store.makeRoom(3 * MIB, { must: true })).toBe(false);
  expect(kept(folder)).toEqual([pinned]);
  // the measurement has ended
  needed.delete('running');
  expect(await store.makeRoom(3 * MIB, { must: false })).toBe(true);
  expect([kept(folder), readdirSync(join(folder, 'pins'))]).toEqual([[], []]);
  expect(left).toEqual([old, newer, pinned]);
});

it('keeps what the measurements of another store have pinned, of which it cannot ask', async () => {
  const folder = freshFolder();
  const other = await hostStore(folder, { store: 'other' });
  const digest = await put(other, folder, 'foreign', 1);
  await other.pin('replicate', [digest]);
  const store = await hostStore(folder, { env: { ASSAY_KEPT_MB: '0' } });
  await store.sweep();
  expect(kept(folder)).toEqual([digest]);
});

it('does not let go while nobody can be asked what is needed', async () => {
  const folder = freshFolder();
  const isNeeded = () => Promise.reject(new Error('the store is away'));
  const store = await hostStore(folder, { env: { ASSAY_KEPT_MB: '0' }, isNeeded });
  const digest = await put(store, folder, 'needed', 1);
  await store.pin('replicate', [digest]);
  await expect(store.sweep()).rejects.toThrow('the store is away');
  expect(kept(folder)).toEqual([digest]);
});

it('puts back what is pinned while it leaves', async () => {
  const folder = freshFolder();
  const digests: string[] = [];
  let asked = 0;
  const store: HostStore = await hostStore(folder, {
    env: { ASSAY_KEPT_MB: '0' },
    // another measurement comes between the first look at the pins and the second
    isNeeded: async (replicate) => {
      asked += 1;
      if (replicate === 'early' && asked === 1) await store.pin('late', digests);
      return replicate === 'late';
    },
  });
  digests.push(await put(store, folder, 'contended', 1));
  await store.pin('early', []);
  await store.sweep();
  expect([kept(folder), readdirSync(join(folder, 'leaving'))]).toEqual([digests, []]);
  expect(await store.pinAll('late', digests)).toBe(true);
});

it('cleans up after a killed worker: a copy in part is never content, and what was about to leave stays', async () => {
  const folder = freshFolder();
  const store = await hostStore(folder);
  const digest = await put(store, folder, 'leaving', 1);
  const dead = join(folder, 'incoming', '4194304-1~half');
  writeFileSync(dead, 'half a file');
  utimesSync(dead, 1, 1);
  renameSync(join(folder, 'content', digest), join(folder, 'leaving', digest));
  expect(await store.has(digest)).toBe(false);
  await store.sweep();
  expect(readdirSync(join(folder, 'incoming'))).toEqual([]);
  expect(kept(folder)).toEqual([digest]);
});

it('leaves alone the copy that another worker is making', async () => {
  const folder = freshFolder();
  const store = await hostStore(folder);
  writeFileSync(join(folder, 'incoming', '4194304-1~elsewhere'), 'by a process that is not seen here');
  await store.sweep();
  expect(readdirSync(join(folder, 'incoming'))).toHaveLength(1);
});

it('leaves alone by request what another store has kept, whose records nobody has asked', async () => {
  const folder = freshFolder();
  const [mine, other] = [await hostStore(folder), await hostStore(folder, { store: 'other' })];
  const [own, shared, foreign] = [
    await put(mine, folder, 'own', 1),
    await put(mine, folder, 'shared', 1),
    await put(other, folder, 'foreign', 1),
  ];
  await other.pinAll('replicate', [shared]);
  for (const name of readdirSync(join(folder, 'pins'))) rmSync(join(folder, 'pins', name));
  for (const digest of [shared, foreign]) utimesSync(join(folder, 'content', digest), 1, 1);
  const { freed } = await collectHostGarbage(mine, new Set(), { minAgeMs: 3_600_000, dryRun: false });
  expect([freed.count, kept(folder)]).toEqual([1, [shared, foreign].sort()]);
  expect(await mine.has(own)).toBe(false);
});

it('reads pins of any age without removing them where nobody is asked about them', async () => {
  const folder = freshFolder();
  const worker = await hostStore(folder);
  const digest = await put(worker, folder, 'pinned', 1);
  await worker.pin('replicate', [digest]);
  const [pin = ''] = readdirSync(join(folder, 'pins'));
  utimesSync(join(folder, 'pins', pin), 1, 1);
  const command = await hostStore(folder, { store: '', isNeeded: null });
  expect([...(await command.pinned())]).toEqual([digest]);
  expect(readdirSync(join(folder, 'pins'))).toEqual([pin]);
});

it('lets nothing go by a damaged pin, says so, and goes on when it is a month old', async () => {
  const folder = freshFolder();
  const store = await hostStore(folder, { env: { ASSAY_KEPT_MB: '0' } });
  const digest = await put(store, folder, 'any', 1);
  const [pins, draft] = [join(folder, 'pins'), join(folder, 'pins', 'draft~killed')];
  await store.pin('replicate', []);
  const damaged = join(pins, 'torn.json');
  for (const file of [damaged, draft]) writeFileSync(file, '{"store":"st');
  utimesSync(draft, 1, 1);
  expect(await store.sweep()).toEqual([damaged]);
  expect([kept(folder), readdirSync(pins)]).toEqual([[digest], ['torn.json']]);
  utimesSync(damaged, 1, 1);
  await store.sweep();
  expect([kept(folder), readdirSync(pins)]).toEqual([[], []]);
});

it('frees by request what no record names and nobody used for a while', async () => {
  const folder = freshFolder();
  const store = await hostStore(folder, { isNeeded: () => Promise.resolve(true) });
  const now = Date.now() / 1000;
  const [old, young, named, pinned] = [
    await put(store, folder, 'old', 1),
    await put(store, folder, 'young', now),
    await put(store, folder, 'named', 1),
    await put(store, folder, 'pinned for one', 1),
  ];
  await store.pin('replicate', [pinned]);
  const asked = { minAgeMs: 3_600_000, dryRun: false };
  const found = await collectHostGarbage(store, new Set([named]), { ...asked, dryRun: true });
  expect(found).toMatchObject({ freed: { count: 1 }, kept: { count: 3 } });
  expect(kept(folder)).toHaveLength(4);
  const { freed } = await collectHostGarbage(store, new Set([named]), asked);
  expect(freed).toEqual({ count: 1, bytes: MIB });
  expect(kept(folder)).toEqual([young, named, pinned].sort());
  expect(await store.has(old)).toBe(false);
});
