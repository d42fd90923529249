import { WorkflowExecutionAlreadyStartedError, type Client } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { campaignInputSchema, type CampaignInput } from '../../domain/campaign/campaign.js';
import { AssayError } from '../../domain/errors.js';
import { referenceOf } from '../../domain/task/profiles.js';
import { explain } from '../../domain/text/explain.js';
import { campaignNameSchema, ownerOf } from '../../domain/keys.js';
import type { TaskDocument } from '../../lineage/documents/task.js';
import type { Lineage } from '../../lineage/lineage.js';
import { findTask } from '../../tasks/find.js';
import { loadTask } from '../../tasks/load.js';
import { BUNDLED_TASKS } from '../folders.js';

/**
 * A task as a person names it: a folder of theirs is uploaded now, under its digest alone, so that no name leads others
 * to it; anything else is a name or a digest.
 * @throws AssayError TASK_UNKNOWN, PROFILE_UNKNOWN, TASK_INVALID
 */
export async function taskReference(
  lineage: Lineage,
  task: string,
  profile: string | null = null,
): Promise<string> {
  const { _id: digest } = await storedTask(lineage, task, profile);
  return task.includes('/') ? digest : referenceOf(task, profile);
}

/**
 * A task that a person names as in {@link taskReference}, as it is stored.
 * @throws AssayError TASK_UNKNOWN, PROFILE_UNKNOWN, TASK_INVALID
 */
export async function storedTask(
  lineage: Lineage,
  task: string,
  profile: string | null,
): Promise<TaskDocument> {
  if (!task.includes('/'))
    return findTask({ lineage, bundledTasks: BUNDLED_TASKS }, referenceOf(task, profile));
  const { spec, files } = await loadTask(task, { profile });
  return lineage.tasks.store(spec, files);
}

/** A campaign that was started; the owner is that of its documents once it has begun. */
export interface StartedCampaign {
  name: string;
  owner: string;
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
 * Starts the campaign workflow, exactly as the plain Temporal CLI would; returns what its documents will belong to.
 * @throws AssayError CAMPAIGN_INPUT, CAMPAIGN_NAME_TAKEN
 */
export async function startCampaign(
  client: Client,
  lineage: Lineage,
  name: string,
  input: Record<string, unknown>,
): Promise<StartedCampaign> {
  checkName(name);
  const { task } = checkInput(input);
  const taken = await lineage.campaigns.find(name);
  if (taken !== null)
    throw new AssayError(
      'CAMPAIGN_NAME_TAKEN',
      `the campaign name "${name}" is taken: that campaign is ${taken.state}`,
    );
  try {
    const { firstExecutionRunId } = await client.workflow.start('campaign', {
      taskQueue: 'assay',
      workflowId: name,
      args: [input],
      // a name whose campaign never began is free
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
      staticSummary: `search on ${task}`.slice(0, 180),
    });
    return { name, owner: ownerOf(client.options.namespace, firstExecutionRunId) };
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

/**
 * Starts a campaign under the first free name of a stem. `begun` waits until it has begun; if another one had its name
 * in the store by then, it is started under the next.
 */
export async function startUnderFreeName(
  client: Client,
  lineage: Lineage,
  { stem, input }: { stem: string; input: Record<string, unknown> },
  begun: (started: StartedCampaign) => Promise<void>,
): Promise<StartedCampaign> {
  const first = await freeName(lineage, stem);
  const count = Number(first.slice(stem.length + 1)) || 1;
  for (let tried = 0; ; tried += 1) {
    const name = tried === 0 ? first : `${stem}-${count + tried}`;
    try {
      const started = await startCampaign(client, lineage, name, input);
      await begun(started);
      return started;
    } catch (error) {
      const taken = error instanceof AssayError && error.code === 'CAMPAIGN_NAME_TAKEN';
      if (!taken || tried >= TRIES) throw error;
    }
  }
}

/** `demo`, else `demo-2`, `demo-3`, …: the first name that no campaign of this store has. */
async function freeName(lineage: Lineage, stem: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const name = count === 1 ? stem : `${stem}-${count}`;
    if ((await lineage.campaigns.find(name)) === null) return name;
  }
}
