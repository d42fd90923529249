import type { TrajectoryTrial } from './trajectory.js';

export interface Throughput {
  trials: number;
  hours: number;
  /** Trials an hour. */
  rate: number;
}

const HOUR_MS = 3_600_000;

/**
 * Trials an hour in the window of the first `window` proposals: their number over the time from the first to the last
 * end (arXiv 2605.05724, section 3.4). The start is no proposal. Null where fewer than two ended, or all at once.
 */
export function throughput(trials: readonly TrajectoryTrial[], window = Infinity): Throughput | null {
  const ends = trials.slice(0, window).flatMap(({ endedAt }) => endedAt ?? []);
  const [first, last] = extremes(ends);
  const hours = (last - first) / HOUR_MS;
  return ends.length < 2 || hours <= 0 ? null : { trials: ends.length, hours, rate: ends.length / hours };
}

/** Share of the ideal speed-up that several submitters reach over one. */
export function efficiency(rate: number, single: number, submitters: number): number {
  return rate / (single * submitters);
}

/** Throughput of one window after another, each of the same number of trials. */
export interface ThroughputWindow extends Throughput {
  /** Numbers of its first and last trial. */
  from: number;
  to: number;
}

/** Divides the trials into windows of a size; the last may be smaller. */
export function throughputWindows(trials: readonly TrajectoryTrial[], size: number): ThroughputWindow[] {
  const windows: ThroughputWindow[] = [];
  for (let at = 0; at < trials.length; at += size) {
    const own = trials.slice(at, at + size);
    const [first, last] = [own[0], own.at(-1)];
    const found = throughput(own);
    if (found !== null && first !== undefined && last !== undefined)
      windows.push({ ...found, from: first.number, to: last.number });
  }
  return windows;
}

function extremes(values: readonly number[]): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
