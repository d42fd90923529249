import type { Client } from '@temporalio/client';
import proto from '@temporalio/proto';

/** A worker asks at least this often while it lives, in milliseconds. */
const ALIVE_MS = 75_000;

/** Whether some worker has polled a queue lately, by the server's own account. */
export async function someWorkerPolls(client: Client, namespace: string, queue: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
  });
  return pollers.some((poller) => {
    const seconds = Number(poller.lastAccessTime?.seconds ?? 0);
    return Date.now() - seconds * 1000 < ALIVE_MS;
  });
}
