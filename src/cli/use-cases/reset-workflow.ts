import { randomUUID } from 'node:crypto';
import { fetchHistory, workflowIdOf } from './history.js';
import type { CommandContext } from '../context.js';
import { someWorkerPolls } from '../follow/pollers.js';
import { resetPoint } from './reset-point.js';

/** `assay.reset/1`. */
export interface ResetAnswer {
  schema: 'assay.reset/1';
  workflowId: string;
  /** The run that was left behind, and the new one. */
  runId: string;
  newRunId: string;
  /** The event up to which the new run is the old one. */
  event: number;
  /** True when a worker polls, so that it continues now. */
  attended: boolean;
}

/**
 * Resumes a campaign, lane or trial from an earlier point of its history. What is stored stays: no number is taken,
 * no reply paid and no finished phase run a second time.
 * @throws AssayError HISTORY_UNKNOWN, USAGE
 */
export async function resetWorkflow(
  ground: CommandContext,
  reference: string,
  to: string,
  reason: string,
): Promise<ResetAnswer> {
  const client = await ground.client();
  const workflowId = workflowIdOf(reference);
  const point = resetPoint(await fetchHistory(client, workflowId), to);
  const { runId } = await client.workflow.getHandle(workflowId).describe();
  const { servers } = ground;
  const { namespace } = servers.temporal;
  const { runId: newRunId } = await client.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: { workflowId, runId },
    reason,
    requestId: randomUUID(),
    workflowTaskFinishEventId: point.eventId ?? null,
    identity: client.options.identity,
  });
  return {
    schema: 'assay.reset/1',
    workflowId,
    runId,
    newRunId,
    event: Number(point.eventId),
    attended: !servers.alone && (await someWorkerPolls(client, namespace, 'assay')),
  };
}
