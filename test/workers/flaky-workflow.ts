import { proxyActivities } from '@temporalio/workflow';

const { flaky } = proxyActivities<{ flaky(): Promise<number> }>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: 10, backoffCoefficient: 1 },
});

/** Returns the attempt at which the activity did not fail. */
export async function flakyWorkflow(): Promise<number> {
  return flaky();
}
