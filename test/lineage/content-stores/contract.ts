import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/domain/digest.js';
import { AssayError } from '../../../src/domain/errors.js';
import type { ContentStore, FileOnHost } from '../../../src/lineage/blob-store/content-store.js';
import { freshFolder } from '../../sandbox/programs.js';

const MIB = 1024 * 1024;
/** Small, as large as one piece of the host's or the store's own, and beyond what a document holds. */
const SIZES = [0, 1, 255 * 1024, MIB, MIB + 1, 5 * MIB + 3];

/** A file of these bytes, different for each name. */
function fileOf(name: string, bytes: number): FileOnHost {
  const seed = createHash('sha256').update(name).digest();
  const content = Buffer.alloc(bytes, seed);
  const path = join(freshFolder(), 'file');
  writeFileSync(path, content);
  return { path, bytes, sha256: sha256(content) };
}

const NOWHERE = sha256('what nobody stores');

export interface StoreUnderTest {
  store: ContentStore;
  /** Damages what is stored: `cut` loses its end, `changed` another byte stands in it. */
  damage: (digest: string, how: 'cut' | 'changed') => Promise<void>;
}

/** Contract of every store of content. `open` is called once. */
export function contentStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`content in ${name}`, () => {
    let opened: Promise<StoreUnderTest> | null = null;
    const get = (): Promise<StoreUnderTest> => (opened ??= open());
    const out = (): string => join(freshFolder(), 'out');

    it.each(SIZES)('gives back a file of %i bytes', async (bytes) => {
      const { store } = await get();
      const file = fileOf(`${name} size`, bytes);
      await store.putFile(file);
      const to = out();
      await store.writeTo(file.sha256, to);
      expect(readFileSync(to).equals(readFileSync(file.path))).toBe(true);
      expect(await store.has(file.sha256)).toBe(true);
      expect(await store.examine(file.sha256)).toEqual({ bytes, wrong: null });
    });

    it('stores the same content once, whoever is quicker', async () => {
      const { store } = await get();
      const file = fileOf(`${name} at once`, 5 * MIB);
      await Promise.all([1, 2, 3].map(() => store.putFile(file)));
      await store.putFile(file);
      expect(await store.examine(file.sha256)).toEqual({ bytes: file.bytes, wrong: null });
    });

    it.each([3, 5 * MIB])(
      'refuses a file of %i bytes that has another digest, and keeps none of it',
      async (bytes) => {
        const { store } = await get();
        const file = { ...fileOf(`${name} other`, bytes), sha256: sha256(`${name} ${bytes}`) };
        await expect(store.putFile(file)).rejects.toMatchObject({ code: 'HOST_FAULT' });
        expect(await store.has(file.sha256)).toBe(false);
      },
    );

    it('says that it does not have what nobody stored, and writes nothing', async () => {
      const { store } = await get();
      const to = out();
      expect(await store.has(NOWHERE)).toBe(false);
      expect((await store.examine(NOWHERE)).wrong).toMatch(/^it is not /);
      await expect(store.writeTo(NOWHERE, to)).rejects.toBeInstanceOf(AssayError);
      expect(existsSync(to)).toBe(false);
    });

    it.each(['cut', 'changed'] as const)('never gives out what was %s', async (how) => {
      const { store, damage } = await get();
      const file = fileOf(`${name} ${how}`, 5 * MIB);
      await store.putFile(file);
      await damage(file.sha256, how);
      const to = out();
      expect((await store.examine(file.sha256)).wrong).not.toBeNull();
      await expect(store.writeTo(file.sha256, to)).rejects.toBeInstanceOf(AssayError);
      expect(readdirSync(join(to, '..'))).toEqual([]);
    });

    it('writes over nothing', async () => {
      const { store } = await get();
      const file = fileOf(`${name} taken`, 10);
      await store.putFile(file);
      const to = out();
      writeFileSync(to, 'mine');
      await expect(store.writeTo(file.sha256, to)).rejects.toMatchObject({ code: 'EEXIST' });
      expect(readFileSync(to, 'utf8')).toBe('mine');
    });
  });
}
