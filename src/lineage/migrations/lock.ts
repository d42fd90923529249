import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from 'mongodb';
import { AssayError } from '../../domain/errors.js';
import { isDuplicateKey } from '../typed-collection.js';

export interface LockDocument {
  _id: string;
  holder: string;
  /** Incremented by a live holder. */
  renewals: number;
}

/** A lock that this process holds. */
export interface HeldLock {
  /** @throws AssayError OVERTAKEN once another process has taken it over */
  require: () => void;
  release(): Promise<void>;
}

/**
 * Milliseconds without a renewal after which a holder counts as dead, by the clock of the waiting process.
 */
export const STALE_MS = 10_000;

/**
 * Waits for a lock and takes it. Clocks of different hosts are not compared: a lock is taken over when its counter
 * has not changed for `staleMs`, and the old holder notices at its next renewal.
 */
export async function takeLock(
  locks: Collection<LockDocument>,
  id: string,
  { staleMs = STALE_MS, onWait }: { staleMs?: number; onWait?: () => void } = {},
): Promise<HeldLock> {
  const holder = randomUUID();
  let seen = { holder: '', renewals: -1, at: 0 };
  for (;;) {
    const found = await locks.findOne({ _id: id });
    if (found === null) {
      if (await insert(locks, { _id: id, holder, renewals: 0 })) return hold(locks, id, holder, staleMs);
      continue;
    }
    if (seen.at === 0) onWait?.();
    const still = seen.holder === found.holder && seen.renewals === found.renewals;
    if (!still) seen = { ...found, at: performance.now() };
    else if (performance.now() - seen.at > staleMs && (await takeOver(locks, found, holder)))
      return hold(locks, id, holder, staleMs);
    await sleep(staleMs / 20);
  }
}

async function insert(locks: Collection<LockDocument>, lock: LockDocument): Promise<boolean> {
  try {
    await locks.insertOne(lock);
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

async function takeOver(
  locks: Collection<LockDocument>,
  { _id, holder, renewals }: LockDocument,
  by: string,
): Promise<boolean> {
  const taken = await locks.updateOne({ _id, holder, renewals }, { $set: { holder: by, renewals: 0 } });
  return taken.modifiedCount === 1;
}

function hold(locks: Collection<LockDocument>, _id: string, holder: string, staleMs: number): HeldLock {
  let lost = false;
  const renew = async (): Promise<void> => {
    const renewed = await locks.updateOne({ _id, holder }, { $inc: { renewals: 1 } });
    lost ||= renewed.matchedCount === 0;
  };
  // a renewal that fails is followed by another one, which notices a takeover
  const timer = setInterval(() => void renew().catch(() => undefined), staleMs / 5);
  return {
    require: () => {
      if (lost)
        throw new AssayError('OVERTAKEN', 'another process has taken over the migration of the store');
    },
    release: async () => {
      clearInterval(timer);
      await locks.deleteOne({ _id, holder });
    },
  };
}
