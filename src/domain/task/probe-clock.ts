import { longestRunS, trainBudget, trainClock } from './phase-clock.js';
import type { Task } from './task.js';

/**
 * Limit of a probe in seconds: what is asked for, else the training budget, and at most the limit of a training; for a
 * profile the limit that the task gives it.
 * @param override the campaign's seconds of training in place of the task's
 */
export function probeSeconds(
  task: Task,
  override: number | null,
  { command, timeoutS }: { command: string | null; timeoutS: number | null },
): number {
  const { profile } = task.phases;
  if (command === null && profile !== undefined) return profile.timeout_s;
  return Math.min(timeoutS ?? trainBudget(task, override), longestRunS(trainClock(task, override)));
}
