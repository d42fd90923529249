import { isSlow, speedText, type HostUse } from './host-use.js';

/** Load of a host while one of a pair was measured. */
export interface MeasuredLoad extends Pick<HostUse, 'hostSpeed'> {
  /** Other work of assay on the host, in the mean over the run; null where it was not looked for. */
  others: number | null;
}

/** Difference in the mean of other work up to which the two of a pair are compared. */
const OTHERS = 0.1;

/** Loads that differ so that times under them are not compared. */
export interface LoadDifference {
  /** In words. */
  why: string;
  /** True where the candidate could have done it itself: only its own run was slowed. */
  mayBeItsOwn: boolean;
}

/**
 * Compares the loads under which a pair was measured; null where they do not differ. The bound on speeds is the one by
 * which a host counts as slow; what is not known is evidence of nothing.
 */
export function loadDifference(start: MeasuredLoad, candidate: MeasuredLoad): LoadDifference | null {
  const neighbours = neighboursDiffer(start, candidate);
  if (neighbours !== null) return { why: neighbours, mayBeItsOwn: false };
  const isCandidate = isSlowOf(candidate, start);
  if (!isCandidate && !isSlowOf(start, candidate)) return null;
  const speeds = [start.hostSpeed, candidate.hostSpeed].map(speedText);
  const why = `the host went at ${speeds.join(' of its full speed for the start, and at ')} for the candidate`;
  return { why, mayBeItsOwn: isCandidate };
}

function neighboursDiffer(start: MeasuredLoad, candidate: MeasuredLoad): string | null {
  if (start.others === null || candidate.others === null) return null;
  if (Math.abs(start.others - candidate.others) <= OTHERS) return null;
  const [first, second] = [start.others, candidate.others].map((others) => Number(others.toFixed(2)));
  return `other work of assay was on the host: ${first} in the mean beside the start, ${second} beside the candidate`;
}

/** Pairs that the candidate may have made void before its trial is given up: in one run, and in all its runs. */
const VOIDS = { inRun: 3, inAll: 6 };

/** Void pairs of a trial in which it was itself the slower one. */
export interface Voids {
  inRun: number;
  /** In all runs for the same purpose. */
  inAll: number;
}

/**
 * Decides whether a trial is given up that was so often slower than the start beside it that the pair was void: a recipe
 * can slow itself down, and may neither hold up a campaign nor draw again as often as it likes. The start never is.
 */
export const givesUp = ({ inRun, inAll }: Voids, isStart: boolean): boolean =>
  !isStart && (inRun >= VOIDS.inRun || inAll >= VOIDS.inAll);

/**
 * Returns true where a candidate that was slower on its own has its time all the same. In a claim it could else have its
 * unlucky pairs measured again, and be announced by the lucky ones; slower than it is it may look.
 */
export const slownessCounts = ({ purpose, isStart }: { purpose: string; isStart: boolean }): boolean =>
  purpose === 'claim' && !isStart;

const isSlowOf = ({ hostSpeed }: MeasuredLoad, other: MeasuredLoad): boolean =>
  other.hostSpeed !== null && isSlow({ hostSpeed, usualSpeed: other.hostSpeed });
