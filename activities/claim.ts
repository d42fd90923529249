import { NOTHING } from '../src/lineage/budgets.js';
import type { ReplicateDocument, TrialDocument } from '../src/lineage/documents.js';
import type { HostContext } from './context.js';
import { persist } from './pulse.js';

/** The right to work on a replicate, for as long as nobody takes a later one. */
export interface Claim {
  replicate: ReplicateDocument;
  fence: number;
  /** Shows people where the work is. */
  stage(stage: string): Promise<void>;
}

export interface ClaimRequest {
  what: 'train' | 'evaluate';
  trial: TrialDocument;
  replicate: string;
  /** Upper bound of the accelerator time it can cost, in milliseconds of one slot. */
  boundMs: number;
}

/**
 * Takes the claim, runs the work and lets go. Returns null, and starts nothing, when the campaign does not let
 * work start now. What an earlier attempt reserved and never settled is settled at its upper bound.
 */
export async function withClaim<T>(
  context: HostContext,
  request: ClaimRequest,
  signal: AbortSignal,
  work: (claim: Claim) => Promise<T>,
): Promise<T | null> {
  const { lineage, host } = context;
  const { trial, what, replicate: key, boundMs } = request;
  const { owner } = trial;
  const before = await lineage.replicates.get(key);
  const active = {
    what,
    trial: trial.number,
    stage: what,
    host: host.name,
    fence: before.fence + 1,
    since: new Date(),
  };
  const controls =
    what === 'train' ? (['running', 'draining'] as const) : (['running', 'draining', 'paused'] as const);
  if (!(await lineage.campaigns.startWork(owner, key, active, controls))) return null;
  const held = {
    host: host.name,
    worker: host.worker,
    what,
    run: `${key}/${before.fence + 1}`,
    since: new Date(),
  };
  const replicate = await lineage.replicates.claim(key, held);
  const { fence } = replicate;
  const spending = (of: number): string => `${key}/${of}`;
  try {
    if (fence > 1) await lineage.budgets.settle(owner, spending(fence - 1), 'upper-bound', 'unknown');
    if (!(await reserve(context, request, spending(fence)))) return null;
    const started = performance.now();
    const stage = (name: string): Promise<void> => lineage.campaigns.markWork(owner, key, fence, name);
    try {
      return await work({ replicate, fence, stage });
    } finally {
      const acceleratorMs = what === 'train' ? Math.min(boundMs, Math.ceil(performance.now() - started)) : 0;
      const spent = { ...NOTHING, acceleratorMs };
      await persist(signal, () => lineage.budgets.settle(owner, spending(fence), spent, 'known'));
    }
  } catch (error) {
    const reason = signal.aborted ? 'cancelled' : error instanceof Error ? error.message : String(error);
    await lineage.replicates.fault(key, fence, what, reason, host.name);
    throw error;
  } finally {
    await lineage.replicates.release(key, fence);
    await lineage.campaigns.endWork(owner, key, fence);
  }
}

/** Holds the accelerator time; a limit that leaves no room pauses the campaign. */
async function reserve(
  { lineage }: HostContext,
  { trial, what, boundMs }: ClaimRequest,
  key: string,
): Promise<boolean> {
  const amounts = { ...NOTHING, acceleratorMs: what === 'train' ? boundMs : 0 };
  const { owner, role } = trial;
  const result = await lineage.budgets.reserve({ owner, key, amounts, what, role, trial: trial.number });
  if (result === 'reserved') return true;
  await lineage.campaigns.setControl(owner, 'paused', 'the budget of accelerator time is used up');
  return false;
}
