import { isSlow, speedText, type HostUse } from './host-use.js';

/** Load of a host while one of a pair was measured. */
export interface MeasuredLoad extends Pick<HostUse, 'hostSpeed'> {
  /** Other work of assay on the host, in the mean over the run; null where it was not looked for. */
  others: number | null;
}

/** Difference in the mean of other work up to which the two of a pair are compared. */
const OTHERS = 0.1;

/**
 * Says in words how the loads differ under which a pair was measured, so that its times are not compared; null where
 * they do not. The bound on speeds is the one by which a host counts as slow; what is not known is evidence of nothing.
 */
export function loadDifference(start: MeasuredLoad, candidate: MeasuredLoad): string | null {
  const speeds = [start.hostSpeed, candidate.hostSpeed];
  if (isSlowOf(start, candidate) || isSlowOf(candidate, start))
    return `the host went at ${speeds.map(speedText).join(' of its full speed for the start, and at ')} for the candidate`;
  if (start.others === null || candidate.others === null) return null;
  if (Math.abs(start.others - candidate.others) <= OTHERS) return null;
  const [first, second] = [start.others, candidate.others].map((others) => Number(others.toFixed(2)));
  return `other work of assay was on the host: ${first} in the mean beside the start, ${second} beside the candidate`;
}

/** Pairs of one measurement that are void before its trial is given up. */
const VOIDS = 3;

/**
 * Decides whether a trial is given up whose pairs were void so often: a recipe can make its own so, and may not hold up a
 * campaign whose start can be timed. The start never is.
 */
export const givesUp = (voids: number, isStart: boolean): boolean => voids >= VOIDS && !isStart;

const isSlowOf = ({ hostSpeed }: MeasuredLoad, other: MeasuredLoad): boolean =>
  other.hostSpeed !== null && isSlow({ hostSpeed, usualSpeed: other.hostSpeed });
