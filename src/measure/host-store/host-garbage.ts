import type { Amount } from '../../lineage/blob-store/garbage.js';
import type { HostStore } from './host-store.js';

/** Content of a host that no record names and that was not used for a while, and all other. */
export interface HostGarbage {
  /** Freed now; with `dryRun` what would be. */
  freed: Amount;
  kept: Amount;
}

/**
 * Frees what a host keeps although no record of the store names it, unless a measurement has pinned it. What another
 * store has kept here is left alone: its records cannot be asked.
 */
export async function collectHostGarbage(
  store: Pick<HostStore, 'entries' | 'pinned' | 'ownAlone' | 'release'>,
  named: ReadonlySet<string>,
  { minAgeMs, dryRun }: { minAgeMs: number; dryRun: boolean },
): Promise<HostGarbage> {
  const old = Date.now() - minAgeMs;
  const entries = await store.entries();
  const pinned = await store.pinned();
  const own = await store.ownAlone();
  const isNeeded = (digest: string): boolean => !own.has(digest) || named.has(digest) || pinned.has(digest);
  const garbage = entries.filter(({ sha256, usedAt }) => !isNeeded(sha256) && usedAt <= old);
  const freed = dryRun ? garbage : await store.release(garbage);
  return { freed: amountOf(freed), kept: amountOf(entries.filter((entry) => !freed.includes(entry))) };
}

const amountOf = (entries: readonly { bytes: number }[]): Amount => ({
  count: entries.length,
  bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
});
