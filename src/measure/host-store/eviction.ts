/** Content that a host keeps. */
export interface KeptEntry {
  sha256: string;
  bytes: number;
  /** Time of its last use, in milliseconds. */
  usedAt: number;
}

export interface RoomWanted {
  /** Bytes that may be kept in all. */
  bound: number;
  /** Bytes that are about to be added. */
  coming: number;
}

/** Entries that make room when they leave, and whether that is enough. */
export interface Eviction {
  leaving: KeptEntry[];
  fits: boolean;
}

/** Chooses what leaves, the least recently used first, until the rest fits; what is pinned never leaves. */
export function chooseLeaving(
  entries: readonly KeptEntry[],
  pinned: ReadonlySet<string>,
  { bound, coming }: RoomWanted,
): Eviction {
  let held = entries.reduce((sum, { bytes }) => sum + bytes, coming);
  const leaving: KeptEntry[] = [];
  const free = entries.filter(({ sha256 }) => !pinned.has(sha256)).sort((a, b) => a.usedAt - b.usedAt);
  for (const entry of free) {
    if (held <= bound) break;
    leaving.push(entry);
    held -= entry.bytes;
  }
  return { leaving, fits: held <= bound };
}

const MIB = 1024 * 1024;
/** Part of the disk's free room, with what is kept counted as free, that is kept where no bound is set. */
const SHARE = 1 / 4;

/**
 * Bytes that a host may keep: ASSAY_KEPT_MB (MiB) where it is set, else a quarter of what would be free on the disk if
 * nothing were kept, so that it shrinks while others fill the disk.
 */
export function keptBound(env: NodeJS.ProcessEnv, { held, free }: { held: number; free: number }): number {
  const asked = Number(env['ASSAY_KEPT_MB'] || Number.NaN);
  return Number.isFinite(asked) && asked >= 0 ? asked * MIB : Math.floor((held + free) * SHARE);
}

/**
 * The stand-in store of a developer's machine takes 256 MiB in 2.4 s and gives it back in 1.7 s, a host in 0.4 and 0.5
 * (bench/bytes.ts): up to 64 MiB that is less than a second. 500 artifacts of 64 MiB are 32 GB, which the store keeps
 * for good.
 */
const STORED_MIB = 64;

/** Bytes of outputs up to which they go to the store: ASSAY_STORED_MB (MiB) where it is set, else 64 MiB. */
export function storedBound(env: NodeJS.ProcessEnv): number {
  const asked = Number(env['ASSAY_STORED_MB'] || Number.NaN);
  return (Number.isFinite(asked) && asked >= 0 ? asked : STORED_MIB) * MIB;
}
