import type { Client } from '@temporalio/client';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { trainQueue } from '../src/domain/devices/size-classes.js';

const { TASK_QUEUE_TYPE_ACTIVITY } = proto.temporal.api.enums.v1.TaskQueueType;
const DEADLINE_MS = 5000;

/** Requests that wait in a queue, about. */
export interface Backlog {
  count: number;
  /** Seconds for which the oldest has waited. */
  oldestS: number;
}

/** Asks the server what waits in the queue of a pool's trainings of one size. */
export async function backlogOf(
  client: Client,
  namespace: string,
  pool: string,
  size: number,
): Promise<Backlog> {
  const { stats } = await client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: trainQueue(pool, size) },
      taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
      reportStats: true,
    }),
  );
  const oldestMs = optionalTsToMs(stats?.approximateBacklogAge) ?? 0;
  return { count: Number(stats?.approximateBacklogCount ?? 0), oldestS: oldestMs / 1000 };
}
