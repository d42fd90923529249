import { Context } from '@temporalio/activity';
import { checkAnswer } from '../src/model/answers.js';
import type { HostContext } from './context.js';
import type { TrialRef } from './decide.js';
import { hostCampaign, hostTrial } from './hosting.js';
import { tailOf } from './phases.js';
import { preflight } from './preflight.js';
import { withDoing } from './pulse.js';
import type { Checker } from './workspace.js';

export type PrepareNext = 'train' | 'decide' | 'twin' | 'notStarted';

export interface PrepareActivities {
  /**
   * Everything that can be found out before an accelerator is taken. `twin`: an earlier trial with the same
   * snapshot has not ended; waiting for it is not done here, where it would take the place of that trial's own work.
   * `notStarted`: the campaign does not let work start now.
   */
  prepare(of: TrialRef): Promise<{ next: PrepareNext }>;
}

export function prepareActivities(context: HostContext): PrepareActivities {
  return { prepare: (of) => prepare(context, of) };
}

async function prepare(context: HostContext, of: TrialRef): Promise<{ next: PrepareNext }> {
  const { lineage } = context;
  const trial = await lineage.trials.require(of.owner, of.number);
  if (trial.status !== null || trial.preflight !== null) return { next: 'decide' };
  const limits = async () => (await lineage.campaigns.byOwner(of.owner)).frozen.limits;
  const twin = await lineage.trials.currentTwin(trial, limits);
  if (twin !== null) return { next: twin.status === null ? 'twin' : 'decide' };
  return withDoing('preparing', (signal, tell) =>
    context.turn.beside({ signal, tell, doing: 'preparing' }, () =>
      registered(context, of, trial.snapshot, signal),
    ),
  );
}

/** Examines it where the campaign lets work start: asked when it may run, so that a pause meets what still waits. */
async function registered(
  context: HostContext,
  of: TrialRef,
  snapshot: string,
  signal: AbortSignal,
): Promise<{ next: PrepareNext }> {
  const { lineage } = context;
  const key = `prepare/${of.number}`;
  // of the server's one clock, so that each attempt overtakes those before it
  const fence = Context.current().info.currentAttemptScheduledTimestampMs;
  const base = { what: 'prepare', trial: of.number, host: context.host.name, fence } as const;
  const work = { ...base, stage: 'preparing', since: new Date() };
  if (!(await lineage.campaigns.startWork(of.owner, key, work))) return { next: 'notStarted' };
  try {
    return await examined(context, of, snapshot, signal);
  } finally {
    await lineage.campaigns.endWork(of.owner, key, fence);
  }
}

async function examined(
  context: HostContext,
  of: TrialRef,
  snapshot: string,
  signal: AbortSignal,
): Promise<{ next: PrepareNext }> {
  const { trials } = context.lineage;
  await trials.setStage(of.owner, of.number, 'preparing');
  const { hosted } = await hostTrial(context, of, signal);
  const { failure, projection } = await preflight(context, hosted, snapshot, signal);
  if (projection !== null) await trials.setProjection(of.owner, of.number, projection);
  if (failure === null) return { next: 'train' };
  await trials.setPreflight(of.owner, of.number, failure);
  return { next: 'decide' };
}

/** The `check` tool of a session: the same preflight, told in words. */
export function checkerOf(context: HostContext): Checker {
  return async (owner, { snapshot }, signal, tell) => {
    const { hosted } = await hostCampaign(context, owner, signal);
    const { failure, margins, projection, log } = await context.turn.beside(
      { signal, tell, doing: 'checking' },
      () => preflight(context, hosted, snapshot, signal),
    );
    const said = failure === null ? tailOf(log) : `${failure.phase}: ${failure.reason}\n${failure.tail}`;
    return checkAnswer({ ok: failure === null, margins, projection, log: said });
  };
}
