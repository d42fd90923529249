/**
 * Words that an activity on a host says with its heartbeats. Why nothing moves is told from those of waiting, so they
 * are the same for both sides.
 */
export const DOING = {
  waitsForLease: 'waiting for a lease',
  waitsForAlone: 'waiting for the host: an evaluation runs alone',
  waitsToBeAlone: 'waiting for the host: an evaluation is to run alone, and others still run',
  evaluatesAlone: 'evaluating alone',
} as const;

/** Follows long work: is told what is being done, and may cancel it. */
export interface WorkMonitor {
  signal: AbortSignal;
  tell: (doing: string) => void;
}
