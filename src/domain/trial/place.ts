import type { Outcome } from './outcome.js';

/** Facts by which a trial gives its place among the counted ones back. */
export interface PlaceFacts {
  /** True where it takes a place at all. */
  counts: boolean;
  /** null while it has not ended. */
  outcome: Pick<Outcome, 'status' | 'failure'> | null;
  /** True where its end was found before anything was trained. */
  failedCheck: boolean;
  /** True where a training of it has begun. */
  begun: boolean;
}

/**
 * True where an ended trial must not cost one of the campaign's trials: it was checked and found wanting before
 * anything was trained, it was withdrawn before that, or it was out of time on a host that was slower than usual.
 */
export function returnsPlace({ counts, outcome, failedCheck, begun }: PlaceFacts): boolean {
  if (!counts || outcome === null) return false;
  if (outcome.status === 'cancelled') return !begun;
  return failedCheck || endedByHost(outcome);
}

/** True where a trial was out of time, and each time on a host that was slower than usual. */
export const endedByHost = (outcome: Pick<Outcome, 'failure'> | null): boolean =>
  outcome?.failure?.busyHost === true;
