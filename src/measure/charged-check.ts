import { preflightBoundMs } from '../domain/task/bounds.js';
import { preflightGpus } from '../domain/task/device-needs.js';
import type { Task } from '../domain/task/task.js';
import { NOTHING, type Reservation } from '../lineage/budgets/budgets.js';
import { pauseExhausted } from '../lineage/budgets/pause-on-exhausted-budget.js';
import type { Lineage } from '../lineage/lineage.js';
import { persist } from '../lineage/persist.js';

/** Key and payer of a check. */
export type CheckCharge = Pick<Reservation, 'owner' | 'key' | 'what' | 'role' | 'trial'>;

/**
 * Does a check that uses accelerators within the campaign's budget: their time is held before, and what it took is
 * settled after. One that uses none costs nothing.
 * @returns null where the budget leaves no room: the campaign then waits for a person
 */
export async function chargedCheck<T>(
  lineage: Lineage,
  task: Task,
  charge: CheckCharge,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<{ done: T } | null> {
  const size = preflightGpus(task);
  if (size === 0) return { done: await work() };
  return charged(lineage, { charge, boundMs: preflightBoundMs(task), size }, signal, work);
}

/**
 * Does work on a lease of so many slots or accelerators within the campaign's budget: its time is held before, and what
 * it took is settled after.
 * @returns null where the budget leaves no room: the campaign then waits for a person
 */
export async function charged<T>(
  lineage: Lineage,
  { charge, boundMs, size }: { charge: CheckCharge; boundMs: number; size: number },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<{ done: T } | null> {
  const amounts = { ...NOTHING, acceleratorMs: boundMs };
  const { owner, key } = charge;
  if ((await lineage.budgets.reserve({ ...charge, amounts })) !== 'reserved') {
    await pauseExhausted(lineage, owner, amounts);
    return null;
  }
  const began = performance.now();
  try {
    return { done: await work() };
  } finally {
    const acceleratorMs = Math.min(boundMs, Math.ceil((performance.now() - began) * size));
    await persist(signal, () => lineage.budgets.settle(owner, key, { ...NOTHING, acceleratorMs }, 'known'));
  }
}
