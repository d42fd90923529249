import { REHEARSALS } from './rehearsal.js';
import { comparesTimes, type Task } from './task.js';
import { evaluationGpus, leaseSize, preflightGpus } from './device-needs.js';
import { longestRunS, longestS, packClock, trainClock } from './phase-clock.js';

/** The most that the processes of a training take on their lease in seconds, with those of the start where times are compared. */
function trainingBound(task: Task, override: number | null): number {
  const clock = trainClock(task, override);
  const pair = longestS(clock) + (comparesTimes(task) ? longestRunS(clock) : 0);
  return task.replicate.processes * pair;
}

/** The most that filling caches takes on the lease of a training in seconds, that of the start as well. */
function prewarmBound(task: Task): number {
  const limit = 2 * (task.phases.prewarm?.timeout_s ?? 0);
  return comparesTimes(task) ? 2 * limit : limit;
}

const PREPARE_DATA_S = 1800;

/** The most that one evaluation takes in seconds, with the start of its server. */
const evaluationSeconds = ({ evaluate, phases }: Task): number =>
  evaluate.timeout_s + (phases.serve?.startup_s ?? 0);

/** The most seconds that one run of a task takes, by phase. */
export function runBounds(task: Task): { phase: string; seconds: number }[] {
  const { pack } = task.phases;
  return [
    { phase: 'prewarm', seconds: prewarmBound(task) },
    { phase: 'train', seconds: trainingBound(task, null) },
    { phase: 'pack', seconds: pack === undefined ? 0 : longestS(packClock(task, null)) },
    { phase: 'evaluate', seconds: 2 * evaluationSeconds(task) },
  ].filter(({ seconds }) => seconds > 0);
}

/** Work of a training on a lease that is already done. */
export interface LeasedAlready {
  trained: boolean;
  packed: boolean;
  /** False where servers still need a prewarm. */
  warm: boolean;
}

/** The most that the rest of a training's work can take on its lease, in milliseconds of one slot. */
export function leaseBoundMs(task: Task, override: number | null, there: LeasedAlready): number {
  const seconds =
    (there.trained ? 0 : trainingBound(task, override)) +
    (there.packed ? 0 : longestS(packClock(task, override))) +
    (there.trained && there.packed && there.warm ? 0 : prewarmBound(task));
  return Math.ceil(seconds * 1000 * leaseSize(task.resources));
}

/** The most that an evaluation can take on its lease, in milliseconds of one accelerator; 0 where it needs none. */
export function evaluationBoundMs(task: Task): number {
  // one that is late on a slow host is run once more
  return 2 * evaluationSeconds(task) * 1000 * evaluationGpus(task);
}

/** The most that a check before training can take on its lease, in milliseconds of one accelerator; 0 where it needs none. */
export const preflightBoundMs = (task: Task): number => preflightSeconds(task) * 1000 * preflightGpus(task);

/** The most that check, smoke and the packing of that take; what reaches its limit on a slow host is run once more. */
const preflightSeconds = ({ phases: { check, smoke, pack } }: Task): number =>
  2 * ((check?.timeout_s ?? 0) + (smoke?.timeout_s ?? 0) + (pack?.timeout_s ?? 0));

/** Upper bounds of what the activities of a trial run, in seconds. */
export function phaseSeconds(
  task: Task,
  override: number | null,
): { prepare: number; train: number; evaluate: number } {
  const evaluating = evaluationSeconds(task);
  const rehearsing = task.evaluate.rehearsal === undefined ? 0 : REHEARSALS * evaluating;
  return {
    prepare: PREPARE_DATA_S + preflightSeconds(task) + rehearsing,
    train:
      PREPARE_DATA_S +
      prewarmBound(task) +
      trainingBound(task, override) +
      longestS(packClock(task, override)),
    // one that is late on a slow host is run once more
    evaluate: PREPARE_DATA_S + 2 * evaluating,
  };
}
