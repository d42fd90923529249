import { WorkflowNotFoundError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { resumeTrialUpdate } from '../../../workflows/messages.js';
import { findTrial, type TrialPlace } from '../../analysis/read-models/find-trial.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import { trialLabel, trialWorkflowId } from '../../domain/keys.js';
import type { CommandContext } from '../context.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { requireHere } from './require-here.js';

/** `assay.resumed/1`. */
export interface ResumedTrial {
  schema: 'assay.resumed/1';
  campaign: string;
  trial: string;
  number: number;
}

/**
 * Has a parked trial worked on again; its campaign starts it.
 * @throws AssayError USAGE, CAMPAIGN_UNKNOWN, TRIAL_UNKNOWN, TRIAL_NOT_PARKED, CAMPAIGN_ELSEWHERE, CAMPAIGN_ENDED, TEMPORAL_UNAVAILABLE
 */
export async function resumeTrial(ground: CommandContext, reference: string): Promise<ResumedTrial> {
  const { lineage } = ground;
  const place = await findTrial(lineage, reference, undefined);
  const { campaign, number } = place;
  const stored = await lineage.campaigns.byName(campaign);
  const { owner } = stored;
  const { parked, status, stage } = await lineage.trials.require(owner, number);
  const id = trialWorkflowId(campaign, number);
  if (parked === null)
    throw new AssayError('TRIAL_NOT_PARKED', `${id} is not parked: it is ${status ?? stage}`);
  await requireHere(await ground.client(), stored);
  await askCampaign(ground, place, (handle) => handle.executeUpdate(resumeTrialUpdate, { args: [number] }));
  return { schema: 'assay.resumed/1', campaign, trial: trialLabel(number), number };
}

/**
 * Asks the campaign of a parked trial for something, which it answers.
 * @throws AssayError CAMPAIGN_ENDED when it refuses, TEMPORAL_UNAVAILABLE when no worker answers
 */
export async function askCampaign(
  ground: CommandContext,
  { campaign, number }: Pick<TrialPlace, 'campaign' | 'number'>,
  ask: (handle: WorkflowHandle) => Promise<unknown>,
): Promise<void> {
  const { servers } = ground;
  const client = await ground.client();
  if (servers.alone || !(await someWorkerPolls(client, servers.temporal.namespace, 'assay')))
    throw new AssayError(
      'TEMPORAL_UNAVAILABLE',
      `no worker runs that could obey for campaign "${campaign}"`,
      {
        remedy: '`assay dev` runs workers on this machine; then ask again.',
      },
    );
  try {
    await ask(client.workflow.getHandle(campaign));
  } catch (error) {
    const id = trialWorkflowId(campaign, number);
    if (error instanceof WorkflowNotFoundError)
      throw new AssayError('CAMPAIGN_ENDED', `the campaign of ${id} does not run any more`, {
        cause: error,
        remedy: `\`assay reconcile ${campaign}\` gives the trial its status.`,
      });
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new AssayError('CAMPAIGN_ENDED', `refused: ${messageOf(error.cause ?? error)}`, { cause: error });
  }
}
