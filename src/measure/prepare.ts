import { randomUUID } from 'node:crypto';
import { AssayError } from '../domain/errors.js';
import { fieldOf, trialLabel, type TrialRef } from '../domain/keys.js';
import { DOING, type WorkMonitor } from '../domain/trial/doing.js';
import { failureText } from '../domain/trial/outcome-words.js';
import { LOST } from '../domain/trial/lost-workers.js';
import { persist } from '../lineage/persist.js';
import { preflightGpus } from '../domain/task/device-needs.js';
import { chargedCheck } from './charged-check.js';
import type { HostContext } from './host-context.js';
import { onDevices } from './on-lease.js';
import { hostCampaign, hostTrial } from './load-trial.js';
import { crashOf, lossesOfTrial } from './lost-workers.js';
import { tailOf } from './phases/phase.js';
import { preflight, type Preflight } from './preflight.js';

/**
 * `twin`: an earlier trial with the same snapshot has not ended; waiting for it is not done here, where it would take
 * the place of that trial's own work. `notStarted`: the campaign does not let work start now. `parked`: the trial waits
 * for a person.
 */
export type Prepared =
  { next: 'train' } | { next: 'decide' } | { next: 'twin' } | { next: 'notStarted' } | { next: 'parked' };

/**
 * Finds out everything that can be known of a trial before an accelerator is taken.
 * @param fence larger than that of every earlier attempt at it
 */
export async function prepare(
  context: HostContext,
  of: TrialRef,
  fence: number,
  { signal, tell }: WorkMonitor,
): Promise<Prepared> {
  const { lineage } = context;
  const trial = await lineage.trials.require(of.owner, of.number);
  if (trial.status !== null || trial.preflight !== null) return { next: 'decide' };
  const limits = async () => (await lineage.campaigns.byOwner(of.owner)).frozen.limits;
  const twin = await lineage.trials.currentTwin(trial, limits);
  if (twin?.parked != null)
    return parked(context, of, `the same code as ${trialLabel(twin.number)}, which is parked`);
  if (twin !== null) return { next: twin.status === null ? 'twin' : 'decide' };
  if (trial.parked !== null) await lineage.trials.unpark(of.owner, of.number);
  // preparing the task on this host delays no other turn
  const { hosted, campaign } = await hostTrial(context, of, { work: 'evaluate', signal });
  const what = `checking ${trialLabel(of.number)} of ${campaign.frozen.name}`;
  const gpus = preflightGpus(hosted.spec);
  if (gpus > 0) tell(DOING.waitsForLease);
  return onDevices(context, { gpus, what, signal }, (on) =>
    on.turn.beside({ signal, tell, doing: 'preparing' }, () => registered(on, of, fence, signal)),
  );
}

/** Examines it where the campaign lets work start: asked when it may run, so that a pause meets what still waits. */
async function registered(
  context: HostContext,
  of: TrialRef,
  fence: number,
  signal: AbortSignal,
): Promise<Prepared> {
  const { lineage } = context;
  const key = `prepare/${of.number}`;
  await recordLost(context, of, key, fence);
  const losses = await lossesOfTrial(context, of.owner, of.number);
  if (losses.kind === 'park') return parked(context, of, losses.reason);
  if (losses.kind === 'block') throw new AssayError('WORKERS_LOST', losses.reason);
  if (losses.kind === 'crash') {
    await lineage.trials.setPreflight(of.owner, of.number, crashOf('check', losses));
    return { next: 'decide' };
  }
  const base = { what: 'prepare', trial: of.number, host: context.host.name, fence } as const;
  const work = { ...base, stage: 'preparing', since: new Date() };
  if (!(await lineage.campaigns.startWork(of.owner, key, work))) return { next: 'notStarted' };
  try {
    return await examined(context, of, fence, signal);
  } finally {
    await persist(signal, () => lineage.campaigns.endWork(of.owner, key, fence));
  }
}

async function parked(
  { lineage }: HostContext,
  { owner, number }: TrialRef,
  reason: string,
): Promise<Prepared> {
  await lineage.trials.park(owner, number, reason);
  return { next: 'parked' };
}

/** An earlier attempt that never ended its work was lost with its worker, and will not end it any more. */
async function recordLost(
  { lineage }: HostContext,
  { owner, number }: TrialRef,
  key: string,
  fence: number,
): Promise<void> {
  const { active } = await lineage.campaigns.byOwner(owner);
  const before = active[fieldOf(key)];
  if (before === undefined || before.fence >= fence) return;
  await lineage.trials.losePreparation(owner, number, {
    fence: before.fence,
    what: 'prepare',
    reason: 'the attempt was lost with its worker',
    code: LOST,
    host: before.host,
  });
  await lineage.budgets.giveUp(owner, spendingKey({ owner, number }, before.fence), 'prepare');
  await lineage.campaigns.endWork(owner, key, before.fence);
}

const spendingKey = ({ owner, number }: TrialRef, fence: number): string =>
  `${owner}/prepare-${number}/${fence}`;

async function examined(
  context: HostContext,
  of: TrialRef,
  fence: number,
  signal: AbortSignal,
): Promise<Prepared> {
  const { lineage } = context;
  const { trials } = lineage;
  await trials.setStage(of.owner, of.number, 'preparing');
  const { hosted, trial } = await hostTrial(context, of, { work: 'evaluate', signal });
  const { owner, role, number } = trial;
  const charge = { owner, key: spendingKey(of, fence), what: 'prepare', role, trial: number };
  const flown = await chargedCheck(lineage, hosted.spec, charge, signal, () =>
    preflight(context, hosted, trial.snapshot, signal),
  );
  if (flown === null) {
    const { control, stopped } = await lineage.campaigns.byOwner(owner);
    // in a campaign that ends, its training is refused in the same way, which ends the trial by the budget
    return { next: control === 'draining' && stopped ? 'train' : 'notStarted' };
  }
  const { failure, projection } = flown.done;
  if (projection !== null) await trials.setProjection(of.owner, of.number, projection);
  if (failure === null) return { next: 'train' };
  await trials.setPreflight(of.owner, of.number, failure);
  return { next: 'decide' };
}

const NO_ROOM =
  'not checked: the accelerator time that is left of the budget is less than a check may take, so the campaign waits for a person';

/** Runs the same preflight on a snapshot that is not submitted, with the words of its log. */
export async function check(
  context: HostContext,
  { owner, snapshot }: { owner: string; snapshot: string },
  { signal, tell }: WorkMonitor,
): Promise<Pick<Preflight, 'margins' | 'projection' | 'log'> & { ok: boolean; failed: string | null }> {
  const { hosted, campaign } = await hostCampaign(context, owner, { work: 'evaluate', signal });
  const gpus = preflightGpus(hosted.spec);
  if (gpus > 0) tell(DOING.waitsForLease);
  const of = { gpus, what: `a check of ${campaign.frozen.name}`, signal };
  const key = `${owner}/check/${randomUUID()}`;
  const charge = { owner, key, what: 'check', role: 'check', trial: null };
  const flown = await onDevices(context, of, (on) =>
    on.turn.beside({ signal, tell, doing: 'checking' }, () =>
      chargedCheck(on.lineage, hosted.spec, charge, signal, () => preflight(on, hosted, snapshot, signal)),
    ),
  );
  if (flown === null) return { ok: false, failed: null, margins: [], projection: null, log: NO_ROOM };
  const { failure, margins, projection, log } = flown.done;
  const said = failure === null ? tailOf(log) : `${failure.phase}: ${failure.reason}\n${failure.tail}`;
  const failed = failure === null || failure.busyHost === true ? null : failureText(failure);
  return { ok: failure === null, failed, margins, projection, log: said };
}
