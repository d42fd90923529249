/**
 * Words that an activity on a host says with its heartbeats. Why nothing moves is told from those of waiting, so they
 * are the same for both sides.
 */
export const DOING = {
  waitsForLease: 'waiting for a lease',
  waitsForAlone: 'waiting for the host: other work has it to itself',
  waitsToBeAlone: 'waiting to have the host to itself: others still run',
  evaluatesAlone: 'evaluating alone',
  trainsAlone: 'training alone',
} as const;

/** Follows long work: is told what is being done, and may cancel it. */
export interface WorkMonitor {
  signal: AbortSignal;
  tell: (doing: string) => void;
}
