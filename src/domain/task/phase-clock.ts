import { definedFields } from '../defined-fields.js';
import type { Task } from './task.js';

/** Budget of a phase, in seconds. */
export interface Budget {
  seconds: number;
  /** Seconds past the budget after which a run is ended. */
  tolerance: number;
}

/** The clock that a phase runs against. */
export interface PhaseClock {
  /** Null where only the wall limit counts. */
  budget: Budget | null;
  /** Seconds of wall time at which the run is ended. */
  limitS: number;
  /** Seconds before them in which the recipe has to become ready; left out where the clock starts with it. */
  warmupS?: number;
}

/** Part of a budget that it may be exceeded by where the task says nothing, and the least. */
const [TOLERANCE, LEAST_TOLERANCE_S] = [0.1, 1];
/** Part of training's budget that packing may take where the task says nothing, and the least. */
const [PACKING, LEAST_PACKING_S] = [0.1, 2];
/** Runs of a phase: what reaches its limit on a slow host is run once more. */
const RUNS = 2;

/** The training budget in seconds: what the campaign says, else the task's budget, else its wall limit. */
export function trainBudget(task: Task, override: number | null): number {
  return override ?? task.phases.train.clock?.budget_s ?? task.phases.train.timeout_s;
}

/**
 * The wall limit of training in seconds. Under an override the task's slack over its budget stays at least the same,
 * and grows with it: what a busy host takes from a training grows with its length.
 */
export function trainTimeout(task: Task, override: number | null): number {
  const { timeout_s, clock } = task.phases.train;
  if (override === null) return timeout_s;
  const budget = clock?.budget_s ?? timeout_s;
  return Math.max(override + Math.max(timeout_s - budget, 2), override * (timeout_s / budget));
}

/** The clock of training; a campaign's training seconds are a budget, whether or not the task has one. */
export function trainClock(task: Task, override: number | null): PhaseClock {
  const { clock } = task.phases.train;
  const timeout = trainTimeout(task, override);
  const warmup = definedFields({ warmupS: clock?.warmup_timeout_s });
  const seconds = override ?? clock?.budget_s;
  if (seconds === undefined) return { budget: null, limitS: timeout, ...warmup };
  const grown = clock === undefined ? 1 : Math.max(1, seconds / clock.budget_s);
  const declared = clock?.tolerance_s === undefined ? undefined : clock.tolerance_s * grown;
  return { ...clockOf({ seconds, tolerance: declared ?? toleranceOf(seconds) }, timeout), ...warmup };
}

/** The clock of packing: its own budget, else a part of training's where training has one. */
export function packClock(task: Task, override: number | null): PhaseClock {
  const { pack } = task.phases;
  if (pack === undefined) return { budget: null, limitS: 0 };
  const training = trainClock(task, override).budget;
  const usual = training === null ? undefined : Math.max(LEAST_PACKING_S, PACKING * training.seconds);
  const seconds = pack.budget_s ?? usual;
  if (seconds === undefined) return { budget: null, limitS: pack.timeout_s };
  return clockOf({ seconds, tolerance: pack.tolerance_s ?? toleranceOf(seconds) }, pack.timeout_s);
}

/** The most that a phase takes of its lease in seconds, with the run that may follow one that was late. */
export const longestS = (clock: PhaseClock): number => RUNS * longestRunS(clock);

/** The most that one run of a phase takes of its lease in seconds, its warm-up included. */
export const longestRunS = ({ limitS, warmupS }: PhaseClock): number => limitS + (warmupS ?? 0);

const toleranceOf = (seconds: number): number => Math.max(LEAST_TOLERANCE_S, TOLERANCE * seconds);

const clockOf = (budget: Budget, timeout: number): PhaseClock => ({
  budget,
  limitS: Math.min(timeout, budget.seconds + budget.tolerance),
});
