import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { campaignInputSchema, type CampaignInput } from '../../domain/campaign/campaign.js';
import { AssayError } from '../../domain/errors.js';
import { explain } from '../../domain/text/explain.js';
import { campaignNameSchema } from '../../domain/keys.js';
import type { Lineage } from '../../lineage/lineage.js';
import { findTask } from '../../tasks/find.js';
import { loadTask } from '../../tasks/load.js';
import { BUNDLED_TASKS } from '../folders.js';

/**
 * A task as a person names it: a folder of theirs is uploaded now, anything else is a name or a digest.
 * @throws AssayError TASK_UNKNOWN, TASK_INVALID
 */
export async function taskReference(lineage: Lineage, task: string): Promise<string> {
  if (!task.includes('/')) {
    await findTask({ lineage, bundledTasks: BUNDLED_TASKS }, task);
    return task;
  }
  const { spec, files } = await loadTask(task);
  return (await lineage.tasks.push(spec, files, 'person'))._id;
}

/** @throws AssayError CAMPAIGN_INPUT */
export function checkName(name: string): void {
  const named = campaignNameSchema.safeParse(name);
  if (named.success) return;
  throw new AssayError('CAMPAIGN_INPUT', `the name "${name}" is not ${explain(named.error)}`);
}

/** @throws AssayError CAMPAIGN_INPUT, naming the first field that is wrong */
export function checkInput(input: Record<string, unknown>): CampaignInput {
  const parsed = campaignInputSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new AssayError('CAMPAIGN_INPUT', explain(parsed.error));
}

/**
 * Starts the campaign workflow, exactly as the plain Temporal CLI would.
 * @throws AssayError CAMPAIGN_INPUT, CAMPAIGN_NAME_TAKEN
 */
export async function startCampaign(
  client: Client,
  lineage: Lineage,
  name: string,
  input: Record<string, unknown>,
): Promise<WorkflowHandle> {
  checkName(name);
  const { task } = checkInput(input);
  const taken = await lineage.campaigns.find(name);
  if (taken !== null)
    throw new AssayError(
      'CAMPAIGN_NAME_TAKEN',
      `the campaign name "${name}" is taken: that campaign is ${taken.state}`,
    );
  try {
    return await client.workflow.start('campaign', {
      taskQueue: 'assay',
      workflowId: name,
      args: [input],
      // a name whose campaign never began is free
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      staticSummary: `search on ${task}`.slice(0, 180),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new AssayError(
      'CAMPAIGN_NAME_TAKEN',
      `the campaign name "${name}" is taken by a workflow on this server`,
    );
  }
}

/** Others may start campaigns at the same moment and take the name that was free. */
const TRIES = 20;

/** Starts a campaign under the first free name of a stem; returns the name. */
export async function startUnderFreeName(
  client: Client,
  lineage: Lineage,
  stem: string,
  input: Record<string, unknown>,
): Promise<string> {
  const first = await freeName(lineage, stem);
  const count = Number(first.slice(stem.length + 1)) || 1;
  for (let tried = 0; ; tried += 1) {
    const name = tried === 0 ? first : `${stem}-${count + tried}`;
    try {
      await startCampaign(client, lineage, name, input);
      return name;
    } catch (error) {
      const taken = error instanceof AssayError && error.code === 'CAMPAIGN_NAME_TAKEN';
      if (!taken || tried >= TRIES) throw error;
    }
  }
}

/** `demo`, else `demo-2`, `demo-3`, …: the first name that no campaign of this store has. */
export async function freeName(lineage: Lineage, stem: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? stem : `${stem}-${count}`;
    if ((await lineage.campaigns.find(name)) === null) return name;
  }
}
