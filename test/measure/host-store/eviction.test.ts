import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chooseLeaving, keptBound, storedBound } from '../../../src/measure/host-store/eviction.js';

const MIB = 1024 * 1024;
const entry = (sha256: string, bytes: number, usedAt: number) => ({ sha256, bytes, usedAt });

it('lets the least recently used go first, and no more than makes room', () => {
  const entries = [entry('new', 40, 9), entry('old', 30, 1), entry('older', 20, 0)];
  const { leaving, fits } = chooseLeaving(entries, new Set(), { bound: 100, coming: 45 });
  expect([leaving.map(({ sha256 }) => sha256), fits]).toEqual([['older', 'old'], true]);
});

it('never lets go of what is pinned, and says where the rest is not enough', () => {
  const entries = [entry('pinned', 90, 0), entry('free', 5, 1)];
  const { leaving, fits } = chooseLeaving(entries, new Set(['pinned']), { bound: 100, coming: 20 });
  expect([leaving.map(({ sha256 }) => sha256), fits]).toEqual([['free'], false]);
});

it('fits what it says, with the fewest of the oldest gone', () => {
  const anEntry = fc.record({
    sha256: fc.uuid(),
    bytes: fc.nat(100),
    usedAt: fc.nat(20),
    pinned: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anEntry, { maxLength: 12 }), fc.nat(500), fc.nat(100), (entries, bound, coming) => {
      const pinned = new Set(entries.filter((each) => each.pinned).map(({ sha256 }) => sha256));
      const { leaving, fits } = chooseLeaving(entries, pinned, { bound, coming });
      const gone = new Set(leaving.map(({ sha256 }) => sha256));
      const stays = entries.filter(({ sha256 }) => !gone.has(sha256));
      const held = stays.reduce((sum, { bytes }) => sum + bytes, coming);
      expect(fits).toBe(held <= bound);
      expect(leaving.some(({ sha256 }) => pinned.has(sha256))).toBe(false);
      if (!fits) expect(stays.every(({ sha256 }) => pinned.has(sha256))).toBe(true);
      const last = leaving.at(-1);
      if (last === undefined) return;
      expect(held + last.bytes).toBeGreaterThan(bound);
      for (const each of stays)
        if (!pinned.has(each.sha256)) expect(each.usedAt).toBeGreaterThanOrEqual(last.usedAt);
    }),
  );
});

it.each([
  [{}, { held: 100 * MIB, free: 300 * MIB }, 100 * MIB],
  [{}, { held: 100 * MIB, free: 0 }, 25 * MIB],
  [{ ASSAY_KEPT_MB: '2' }, { held: 0, free: 1 }, 2 * MIB],
  [{ ASSAY_KEPT_MB: '0' }, { held: 0, free: 1000 }, 0],
  [{ ASSAY_KEPT_MB: 'much' }, { held: 0, free: 400 }, 100],
])('keeps by %j, with %j, up to %i bytes', (env, disk, bound) => {
  expect(keptBound(env, disk)).toBe(bound);
});

it.each([
  [{}, 64 * MIB],
  [{ ASSAY_STORED_MB: '0' }, 0],
  [{ ASSAY_STORED_MB: '1' }, MIB],
])('stores by %j up to %i bytes', (env, bound) => {
  expect(storedBound(env)).toBe(bound);
});
