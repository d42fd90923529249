import type { Client } from '@temporalio/client';
import { optionalTsToDate } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import type { QueueFacts } from '../../analysis/stall/types.js';
import { seenLately } from '../../domain/campaign/clock.js';

/** A worker asks at least this often while it lives and is not busy, in milliseconds. */
export const ALIVE_MS = 75_000;
/** A server lists those that asked in the last five minutes; a minute more for a slow answer. */
export const FORGOTTEN_MS = 360_000;

const KINDS = {
  workflow: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  activity: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
};

/** Lists workers that asked a queue for work in the last minutes, by the server's own account. */
export async function queueFacts(
  client: Client,
  namespace: string,
  queue: string,
  kind: QueueFacts['kind'],
): Promise<QueueFacts> {
  const answer = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: KINDS[kind],
  });
  const pollers = answer.pollers.flatMap(({ identity, lastAccessTime }) => {
    const at = optionalTsToDate(lastAccessTime);
    return at === undefined ? [] : [{ worker: identity ?? '', at }];
  });
  return { queue, kind, pollers };
}

/** Returns true when a worker has polled a queue lately. */
export async function someWorkerPolls(client: Client, namespace: string, queue: string): Promise<boolean> {
  const { pollers } = await queueFacts(client, namespace, queue, 'workflow');
  return pollers.some(({ at }) => seenLately(at, new Date(), ALIVE_MS, FORGOTTEN_MS));
}
