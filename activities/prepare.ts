import { checkAnswer } from '../src/model/answers.js';
import type { HostContext } from './context.js';
import type { TrialRef } from './decide.js';
import { hostCampaign, hostTrial } from './hosting.js';
import { tailOf } from './phases.js';
import { preflight } from './preflight.js';
import { withPulse } from './pulse.js';
import type { Workspace } from './workspace-state.js';

export type PrepareNext = 'train' | 'decide' | 'twin';

export interface PrepareActivities {
  /**
   * Everything that can be found out before an accelerator is taken. `twin`: an earlier trial with the same
   * snapshot has not ended; waiting for it is not done here, where it would take the place of that trial's own work.
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
  return withPulse(
    () => of.number,
    async (signal) => {
      await lineage.trials.setStage(of.owner, of.number, 'preparing');
      const { hosted } = await hostTrial(context, of, signal);
      const { failure, projection } = await preflight(context, hosted, trial.snapshot, signal);
      if (projection !== null) await lineage.trials.setProjection(of.owner, of.number, projection);
      if (failure === null) return { next: 'train' };
      await lineage.trials.setPreflight(of.owner, of.number, failure);
      return { next: 'decide' };
    },
  );
}

/** The `check` tool of a session: the same preflight, told in words. */
export function checkerOf(
  context: HostContext,
): (owner: string, workspace: Workspace, signal: AbortSignal) => Promise<string> {
  return async (owner, workspace, signal) => {
    const { hosted } = await hostCampaign(context, owner, signal);
    const { failure, margins, projection, log } = await preflight(
      context,
      hosted,
      workspace.snapshot,
      signal,
    );
    const said = failure === null ? tailOf(log) : `${failure.phase}: ${failure.reason}\n${failure.tail}`;
    return checkAnswer({ ok: failure === null, margins, projection, log: said });
  };
}
