import type { TrialStatus } from '../statuses.js';

/** Failures of one cause. */
export interface FailureGroup {
  status: TrialStatus;
  /** Phase in which they failed; null where none did, as of a missed gate. */
  phase: string | null;
  /** Numbers of the trials, newest first. */
  trials: number[];
  /** Lesson of the newest. */
  lesson: string;
}

interface Ended {
  number: number;
  status: TrialStatus | null;
  outcome: { lesson: string; failure: { phase: string } | null } | null;
}

/** Ends that are no failure of a recipe. */
const NO_FAILURE: readonly TrialStatus[] = ['keep', 'discard', 'duplicate', 'cancelled'];

/** Groups failed trials, newest first, by their cause; the most frequent cause first. */
export function failureGroups(trials: readonly Ended[]): FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const { number, status, outcome } of trials) {
    if (status === null || outcome === null || NO_FAILURE.includes(status)) continue;
    const phase = outcome.failure?.phase ?? null;
    const key = `${status}/${phase ?? ''}`;
    const group = groups.get(key) ?? { status, phase, trials: [], lesson: outcome.lesson };
    group.trials.push(number);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.trials.length - a.trials.length);
}
