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

type Stats = proto.temporal.api.taskqueue.v1.ITaskQueueStats;

/**
 * Asks the server what waits in the queue of a pool's trainings of one size. Its age is that of the work that would
 * come: the oldest of the best priority.
 */
export async function backlogOf(
  client: Client,
  namespace: string,
  pool: string,
  size: number,
): Promise<Backlog> {
  const { stats, statsByPriorityKey } = await client.connection.withDeadline(Date.now() + DEADLINE_MS, () =>
    client.workflowService.describeTaskQueue({
      namespace,
      taskQueue: { name: trainQueue(pool, size) },
      taskQueueType: TASK_QUEUE_TYPE_ACTIVITY,
      reportStats: true,
    }),
  );
  return { count: countIn(stats), oldestS: ageIn(nextIn(statsByPriorityKey) ?? stats) };
}

const countIn = (stats: Stats | null | undefined): number => Number(stats?.approximateBacklogCount ?? 0);

const ageIn = (stats: Stats | null | undefined): number =>
  (optionalTsToMs(stats?.approximateBacklogAge) ?? 0) / 1000;

/** Finds what waits at the lowest number, which is served first; null where the server does not tell priorities apart. */
function nextIn(byPriority: Readonly<Record<string, Stats>>): Stats | null {
  const [next] = Object.entries(byPriority)
    .filter(([, stats]) => countIn(stats) > 0)
    .sort(([a], [b]) => Number(a) - Number(b));
  return next?.[1] ?? null;
}
