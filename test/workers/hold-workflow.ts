import { proxyActivities } from '@temporalio/workflow';

/** A request for slots that are held for so many seconds; null: until the test says. */
export interface Hold {
  queue: string;
  slots: number;
  seconds: number | null;
  /** From 1, served first, to 5; default: the server's. */
  priority?: number;
}

/** Asks a queue for slots; ends when they were held. */
export async function holdWorkflow(hold: Hold): Promise<void> {
  const { train } = proxyActivities<{ train(of: Hold): Promise<void> }>({
    taskQueue: hold.queue,
    ...(hold.priority === undefined ? {} : { priority: { priorityKey: hold.priority } }),
    startToCloseTimeout: '40 seconds',
    retry: { initialInterval: 100, backoffCoefficient: 2, maximumInterval: 1000 },
  });
  await train(hold);
}
