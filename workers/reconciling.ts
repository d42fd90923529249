import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import type { WorkflowFact } from '../src/domain/reconcile.js';
import { logger } from './logging.js';

const SCHEDULE = 'assay-reconcile';

/** What the server says of the latest run of a workflow id. */
export async function workflowFact(client: Client, id: string): Promise<WorkflowFact> {
  try {
    const { status } = await client.workflow.getHandle(id).describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' ? 'running' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    throw error;
  }
}

/**
 * Makes sure of the schedule that reconciles every few minutes, and lets it run now. Without permission for
 * schedules, `assay reconcile` is what is left, so that is said.
 */
export async function scheduleReconcile(client: Client): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: SCHEDULE,
      spec: { intervals: [{ every: '5 minutes' }] },
      action: { type: 'startWorkflow', workflowType: 'reconcile', taskQueue: 'assay', workflowId: SCHEDULE },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) {
      logger.error('no schedule for reconciling; run `assay reconcile` by hand', { error });
      return;
    }
  }
  await client.schedule.getHandle(SCHEDULE).trigger(ScheduleOverlapPolicy.SKIP);
}
