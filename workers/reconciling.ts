import {
  ScheduleAlreadyRunning,
  ScheduleOverlapPolicy,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import type { RunningWorkflow, ServerWorkflows } from '../src/reconcile/orphaned-workflows.js';
import type { WorkflowFact } from '../src/domain/campaign/reconcile.js';
import type { TemporalNamespace } from '../src/domain/campaign/whereabouts.js';
import { logger } from './logging.js';
import { temporalNamespace } from './temporal-namespace.js';

const SCHEDULE = 'assay-reconcile';

/** Asks the server about the latest run of a workflow id. */
export async function workflowFact(client: Client, id: string): Promise<WorkflowFact> {
  try {
    const { status } = await client.workflow.getHandle(id).describe();
    return status.name === 'RUNNING' || status.name === 'CONTINUED_AS_NEW' ? 'running' : 'closed';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    throw error;
  }
}

/** The Temporal server as the reconcile pass asks it. */
export interface AskedServer {
  workflowFact: (id: string) => Promise<WorkflowFact>;
  workflows: ServerWorkflows;
  namespace: TemporalNamespace;
}

export function askedServer(client: Client): AskedServer {
  return {
    workflowFact: (id) => workflowFact(client, id),
    workflows: serverWorkflows(client),
    namespace: temporalNamespace(client),
  };
}

/** The server's workflows as the reconcile pass asks for and ends them. */
export function serverWorkflows(client: Client): ServerWorkflows {
  const tell = async (asked: Promise<unknown>): Promise<void> => {
    await asked.catch((error: unknown) => {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    });
  };
  return {
    running: (campaign) => running(client, campaign),
    cancel: (id) => tell(client.workflow.getHandle(id).cancel()),
    terminate: (id, reason) => tell(client.workflow.getHandle(id).terminate(reason)),
  };
}

async function running(client: Client, campaign: string | undefined): Promise<RunningWorkflow[]> {
  const found: RunningWorkflow[] = [];
  const within = campaign === undefined ? '' : ` AND WorkflowId STARTS_WITH "${campaign}/"`;
  const query = `ExecutionStatus = "Running" AND WorkflowType IN ("specialist", "trial")${within}`;
  for await (const { workflowId, type } of client.workflow.list({ query }))
    if (type === 'specialist' || type === 'trial') found.push({ id: workflowId, type });
  return found;
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
