import { AssayError, messageOf } from '../domain/errors.js';
import type { Failure } from '../domain/trial/outcome.js';
import { NOTHING } from '../lineage/budgets/budgets.js';
import type { ReplicateDocument } from '../lineage/documents/replicate.js';
import type { TrialDocument } from '../lineage/documents/trial.js';
import type { HostContext } from './host-context.js';
import type { HostedTrial } from './load-trial.js';
import { pauseExhausted } from '../lineage/budgets/pause-on-exhausted-budget.js';
import { crashOf, lossesOf } from './lost-workers.js';
import { persist } from '../lineage/persist.js';

/** The right to work on a replicate until a later attempt takes it. */
export interface Attempt {
  replicate: ReplicateDocument;
  fence: number;
  /**
   * Failure that ends a trial which took its workers with it, so that nothing is run for it any more; else null.
   */
  crash: Failure | null;
  /** Shows people where the work is. */
  stage(stage: string): Promise<void>;
}

/** Work of one attempt on this host. */
export interface AttemptWork {
  context: HostContext;
  work: HostedTrial;
  attempt: Attempt;
  signal: AbortSignal;
}

export interface AttemptRequest<T> {
  what: 'train' | 'evaluate';
  trial: TrialDocument;
  /** Payer: the trial that it is spent on, or the claim, which belongs to none. */
  purpose: ReplicateDocument['purpose'];
  replicate: string;
  /** Upper bound of the accelerator time it can cost, in milliseconds of one slot; 0 for work that needs none. */
  boundMs: number;
  /** The key of what the budget holds for it already, if anything. */
  instead?: string | undefined;
  /** Slots that it holds while it works: each of them costs its time. */
  slots: number;
  /** The result, where an attempt has published it while this one was waiting for its turn. */
  published: (replicate: ReplicateDocument) => T | null;
}

/**
 * `notStarted`: the campaign does not let work start now. `exhausted`: a limit leaves no room, and a person stops the
 * campaign, so that it will not be raised. `parked`: its trial waits for a person.
 */
export type AttemptResult<T> =
  { kind: 'done'; result: T } | { kind: 'notStarted' } | { kind: 'exhausted' } | { kind: 'parked' };

const spendingKey = (replicate: string, fence: number): string => `${replicate}/${fence}`;

/**
 * Begins an attempt, which overtakes those before it, runs the work and releases the replicate in every case.
 */
export async function withAttempt<T>(
  context: HostContext,
  request: AttemptRequest<T>,
  signal: AbortSignal,
  work: (attempt: Attempt) => Promise<T>,
): Promise<AttemptResult<T>> {
  const { lineage, host } = context;
  const { trial, what, replicate: key } = request;
  const { owner } = trial;
  const held = { host: host.name, worker: host.worker, what, run: host.process, since: new Date() };
  const replicate = await lineage.replicates.beginAttempt(key, held);
  const { fence } = replicate;
  const active = { what, trial: trial.number, stage: what, host: host.name, fence, since: new Date() };
  const controls =
    what === 'train' ? (['running', 'draining'] as const) : (['running', 'draining', 'paused'] as const);
  try {
    for (let lost = 1; lost < fence; lost += 1)
      await lineage.budgets.giveUp(owner, spendingKey(key, lost), what);
    const made = request.published(replicate);
    if (made !== null) return { kind: 'done', result: made };
    const losses = await lossesOf(context, request, replicate);
    if (losses.kind === 'park') {
      await lineage.trials.park(owner, trial.number, losses.reason);
      return { kind: 'parked' };
    }
    if (losses.kind === 'block') throw new AssayError('WORKERS_LOST', losses.reason);
    const crash = losses.kind === 'crash' ? crashOf(what, losses) : null;
    if (!(await lineage.campaigns.startWork(owner, key, active, controls))) return { kind: 'notStarted' };
    const refused = await reserve(context, request, fence);
    if (refused !== null) return { kind: refused };
    return { kind: 'done', result: await charged(context, request, signal, { replicate, crash }, work) };
  } catch (error) {
    const reason = signal.aborted ? 'cancelled' : messageOf(error);
    const code = error instanceof AssayError ? error.code : null;
    await persist(signal, () =>
      lineage.replicates.fault(key, { fence, what, reason, code, host: host.name }),
    );
    throw error;
  } finally {
    // what is not let go of looks lost with its worker to the next attempt
    await persist(signal, () => lineage.replicates.release(key, fence));
    await persist(signal, () => lineage.campaigns.endWork(owner, key, fence));
  }
}

/** Runs the work and settles what it took, by the harness's clock. */
async function charged<T>(
  { lineage }: HostContext,
  { trial, boundMs, slots }: Pick<AttemptRequest<T>, 'trial' | 'boundMs' | 'slots'>,
  signal: AbortSignal,
  { replicate, crash }: Pick<Attempt, 'replicate' | 'crash'>,
  work: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { _id: key, fence } = replicate;
  const { owner } = trial;
  const started = performance.now();
  try {
    return await work({
      replicate,
      crash,
      fence,
      stage: (name) => lineage.campaigns.markWork(owner, key, fence, name),
    });
  } finally {
    const acceleratorMs = Math.min(boundMs, Math.ceil((performance.now() - started) * slots));
    const spent = { ...NOTHING, acceleratorMs };
    await persist(signal, () => lineage.budgets.settle(owner, spendingKey(key, fence), spent, 'known'));
  }
}

/** Holds the accelerator time; a limit that leaves no room pauses a running campaign. */
async function reserve(
  { lineage }: HostContext,
  { trial, purpose, what, replicate, boundMs, instead }: Omit<AttemptRequest<unknown>, 'published' | 'slots'>,
  fence: number,
): Promise<'notStarted' | 'exhausted' | null> {
  if (boundMs === 0) return null;
  const { owner } = trial;
  const { role, number } = purpose === 'claim' ? { role: 'claim', number: null } : trial;
  const key = spendingKey(replicate, fence);
  const amounts = { ...NOTHING, acceleratorMs: boundMs };
  const asked = { owner, key, amounts, what, role, trial: number };
  const result = await lineage.budgets.reserve(instead === undefined ? asked : { ...asked, instead });
  if (result === 'reserved') return null;
  if (result === 'settled')
    throw new AssayError('OVERTAKEN', `attempt ${fence} on ${replicate} was given up`);
  await pauseExhausted(lineage, owner, amounts);
  const { control, stopped } = await lineage.campaigns.byOwner(owner);
  return control === 'draining' && stopped ? 'exhausted' : 'notStarted';
}
