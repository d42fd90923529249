import { packClock, trainClock } from './phase-clock.js';
import type { Task } from './task.js';

/** Seconds after which each phase is ended, by its name; a budget of its own, where it has one, is less. */
export function usualLimits(task: Task, trainSeconds: number | null): Readonly<Record<string, number>> {
  const { check, smoke, pack } = task.phases;
  return {
    train: trainClock(task, trainSeconds).limitS,
    evaluate: task.evaluate.timeout_s,
    ...(pack === undefined ? {} : { pack: packClock(task, trainSeconds).limitS }),
    ...(check === undefined ? {} : { check: check.timeout_s }),
    ...(smoke === undefined ? {} : { smoke: smoke.timeout_s }),
  };
}
