import type { Connection } from '../../src/devices/simulated/protocol.js';

/** A trial of the bench; times are milliseconds of the wall clock. */
export interface BenchTrial {
  size: number;
  /** Seconds that its recipe sleeps. */
  runS: number;
  /** Time at which its training was put into the queue, and the one at which a host took it; null: never. */
  queuedAt: number | null;
  takenAt: number | null;
  status: string;
}

/** Slots in use of each host at one moment. */
export interface Tick {
  at: number;
  held: number[];
}

/** Connections of different runs to one device at one time: there must be none. */
export function overlaps(log: readonly Connection[]): [Connection, Connection][] {
  const found: [Connection, Connection][] = [];
  for (const device of new Set(log.map(({ uuid }) => uuid))) {
    const sorted = log.filter(({ uuid }) => uuid === device).sort((a, b) => a.from - b.from);
    for (const [index, one] of sorted.entries())
      for (const other of sorted.slice(index + 1)) {
        if (other.from >= (one.to ?? Infinity)) break;
        // an evaluation and its training are of one lease, one after the other
        if (other.who !== one.who) found.push([one, other]);
      }
  }
  return found;
}

/**
 * Share of the devices that were in use, of those and the ones that waiting work would have filled: a device is idle while
 * something waits that fits beside what its host and the others would take first, the largest first.
 */
export function busyShare(ticks: readonly Tick[], trials: readonly BenchTrial[], capacity: number): number {
  let [used, idle] = [0, 0];
  for (const { at, held } of ticks) {
    const waiting = trials.filter(
      ({ queuedAt, takenAt }) => queuedAt !== null && queuedAt <= at && at < (takenAt ?? Infinity),
    );
    if (waiting.length === 0) continue;
    used += held.reduce((sum, slots) => sum + slots, 0);
    idle += fillable(
      held.map((slots) => capacity - slots),
      waiting.map(({ size }) => size),
    );
  }
  return used / (used + idle);
}

/** Devices that requests would fill, the largest first, each on the fullest host that has room for it. */
export function fillable(free: readonly number[], sizes: readonly number[]): number {
  const left = [...free];
  let filled = 0;
  for (const size of [...sizes].sort((a, b) => b - a)) {
    const [room] = [...left.entries()].filter(([, slots]) => slots >= size).sort(([, a], [, b]) => a - b);
    if (room === undefined) continue;
    left[room[0]] = room[1] - size;
    filled += size;
  }
  return filled;
}

/** Longest time in the queue of the trials of a size, in seconds. */
export function longestWaitS(trials: readonly BenchTrial[], size: number): number {
  const waits = trials.flatMap(({ size: of, queuedAt, takenAt }) =>
    of === size && queuedAt !== null && takenAt !== null ? [takenAt - queuedAt] : [],
  );
  return Math.max(0, ...waits) / 1000;
}
