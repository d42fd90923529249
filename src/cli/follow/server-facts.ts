import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { optionalTsToDate, optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type {
  ActivityFault,
  PendingActivity,
  QueueFacts,
  ServerFacts,
  WorkflowFacts,
} from '../../analysis/stall/types.js';
import { GRPC } from '../../dev/temporal/grpc-status.js';
import { sizeClass, trainQueue } from '../../domain/devices/size-classes.js';
import { doingIn } from '../../domain/failure-counts.js';
import { queueFacts } from './pollers.js';

const { PendingActivityState, PendingWorkflowTaskState, WorkflowExecutionStatus } =
  proto.temporal.api.enums.v1;
type Description = proto.temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type Pending = proto.temporal.api.workflow.v1.IPendingActivityInfo;
type Failure = proto.temporal.api.failure.v1.IFailure;

/** A workflow to look at. */
export type Looked = Pick<WorkflowFacts, 'id' | 'label' | 'kind'>;

/**
 * The pool of a campaign's work, the slots that a training takes (null where they are not frozen), and the accelerators
 * that checks and evaluations take.
 */
export interface PoolPlace {
  pool: string | null;
  slots: number | null;
  gpus: { prepare: number; evaluate: number };
}

/** Calls that one look may cost. */
const CALLS = 50;
const AT_ONCE = 10;
const DEADLINE_MS = 10_000;

/**
 * Asks the server about workflows and the queues of a pool, in a bounded number of calls.
 * @throws Error when it does not answer in time
 */
export async function serverFacts(
  client: Client,
  namespace: string,
  place: PoolPlace,
  workflows: readonly Looked[],
): Promise<ServerFacts> {
  const queues: [string, QueueFacts['kind']][] = [
    ['assay', 'workflow'],
    ['assay', 'activity'],
    ['assay-wait', 'activity'],
    ['assay-model', 'activity'],
  ];
  for (const queue of hostQueuesOf(place)) queues.push([queue, 'activity']);
  const shown = workflows.slice(0, CALLS - queues.length);
  return client.connection.withDeadline(Date.now() + DEADLINE_MS, async () => {
    // the queues last: a worker that ends its work meanwhile has asked for more by then
    const looked = await inBatches(shown, (workflow) => workflowFacts(client, namespace, workflow));
    return {
      workflows: looked,
      queues: await Promise.all(queues.map(([queue, kind]) => queueFacts(client, namespace, queue, kind))),
      leftOut: workflows.length - shown.length,
    };
  });
}

/** Lists the queues of a pool that a campaign's work waits in, each once. */
export function hostQueuesOf({ pool, slots, gpus }: PoolPlace): string[] {
  if (pool === null) return [];
  const sizes = [slots, gpus.prepare, gpus.evaluate].filter((taken) => taken !== 0);
  const queues = sizes.map((taken) => trainQueue(pool, taken === null ? null : sizeClass(taken)));
  return [...new Set([...queues, `assay-eval-${pool}`])];
}

async function inBatches<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE)
    answers.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(ask))));
  return answers;
}

async function workflowFacts(client: Client, namespace: string, looked: Looked): Promise<WorkflowFacts> {
  const nothing = { ...looked, ending: '', activities: [], step: null };
  const answer = await client.workflowService
    .describeWorkflowExecution({ namespace, execution: { workflowId: looked.id } })
    .catch((error: unknown) => {
      if (isNotFound(error)) return null;
      throw error;
    });
  if (answer === null) return { ...nothing, status: 'missing' };
  const status =
    answer.workflowExecutionInfo?.status ?? WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_UNSPECIFIED;
  if (status !== WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
    const word = WorkflowExecutionStatus[status].replace('WORKFLOW_EXECUTION_STATUS_', '').toLowerCase();
    return { ...nothing, status: 'ended', ending: word.replaceAll('_', ' ') };
  }
  return {
    ...nothing,
    status: 'running',
    activities: answer.pendingActivities.map(activityOf),
    step: stepOf(answer),
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === GRPC.NOT_FOUND;
}

function stepOf({ pendingWorkflowTask: task }: Description): WorkflowFacts['step'] {
  const since = optionalTsToDate(task?.originalScheduledTime ?? task?.scheduledTime);
  if (task == null || since === undefined) return null;
  const started = task.state === PendingWorkflowTaskState.PENDING_WORKFLOW_TASK_STATE_STARTED;
  return { state: started ? 'started' : 'scheduled', since, attempt: task.attempt ?? 1 };
}

function activityOf(pending: Pending): PendingActivity {
  const options = pending.activityOptions;
  return {
    type: pending.activityType?.name ?? '',
    queue: options?.taskQueue?.name ?? '',
    state: stateOf(pending),
    attempt: pending.attempt ?? 1,
    failure: pending.lastFailure == null ? null : faultOf(pending.lastFailure),
    nextAttemptAt: optionalTsToDate(pending.nextAttemptScheduleTime) ?? null,
    failedAt: optionalTsToDate(pending.lastAttemptCompleteTime) ?? null,
    scheduledAt: optionalTsToDate(pending.scheduledTime) ?? null,
    startedAt: optionalTsToDate(pending.lastStartedTime) ?? null,
    heartbeatAt: optionalTsToDate(pending.lastHeartbeatTime) ?? null,
    heartbeatTimeoutMs: optionalTsToMs(options?.heartbeatTimeout) || null,
    startToCloseMs: optionalTsToMs(options?.startToCloseTimeout) || null,
    worker: pending.lastWorkerIdentity ?? '',
    doing: wordOf(pending),
  };
}

function stateOf({ state }: Pending): PendingActivity['state'] {
  switch (state) {
    case PendingActivityState.PENDING_ACTIVITY_STATE_STARTED:
      return 'started';
    case PendingActivityState.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED:
      return 'cancelling';
    case PendingActivityState.PENDING_ACTIVITY_STATE_PAUSED:
    case PendingActivityState.PENDING_ACTIVITY_STATE_PAUSE_REQUESTED:
      return 'paused';
    default:
      return 'scheduled';
  }
}

function faultOf(failure: Failure): ActivityFault {
  const message = failure.message ?? '';
  if (failure.timeoutFailureInfo != null) return { type: 'TIMEOUT', message };
  return { type: failure.applicationFailureInfo?.type || 'FAULT', message };
}

/** Reads the word of an activity's heartbeat, where there is one. */
function wordOf({ heartbeatDetails }: Pending): string | null {
  const [payload] = heartbeatDetails?.payloads ?? [];
  if (payload === undefined) return null;
  try {
    return doingIn(defaultPayloadConverter.fromPayload(payload));
  } catch {
    return null;
  }
}
