import type { Connection } from '../../src/devices/simulated/protocol.js';

/** A trial of the bench; times are milliseconds of the wall clock. */
export interface BenchTrial {
  size: number;
  /** Seconds that its recipe sleeps. */
  runS: number;
  submittedAt: number;
  /** Start of its training; null while it has none. */
  startedAt: number | null;
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

/** Time in which a trial is prepared before it can wait for a lease, in milliseconds: what the quickest one took. */
export const preparing = (trials: readonly BenchTrial[]): number =>
  Math.min(
    ...trials.flatMap(({ startedAt, submittedAt }) => (startedAt === null ? [] : startedAt - submittedAt)),
  );

/** Share of the devices that were in use, of those on hosts where some waiting trial would have fitted, and those in use. */
export function busyShare(ticks: readonly Tick[], trials: readonly BenchTrial[], capacity: number): number {
  const prepareMs = preparing(trials);
  let [used, idle] = [0, 0];
  for (const { at, held } of ticks) {
    const waiting = trials.filter(
      ({ submittedAt, startedAt }) => submittedAt + prepareMs <= at && at < (startedAt ?? Infinity),
    );
    if (waiting.length === 0) continue;
    const smallest = Math.min(...waiting.map(({ size }) => size));
    for (const slots of held) {
      used += slots;
      if (capacity - slots >= smallest) idle += capacity - slots;
    }
  }
  return used / (used + idle);
}

/** Longest wait of the trials of a size for their start, in seconds, without the time of preparing. */
export function longestWaitS(trials: readonly BenchTrial[], size: number): number {
  const prepareMs = preparing(trials);
  const waits = trials.flatMap((trial) =>
    trial.size === size && trial.startedAt !== null ? [trial.startedAt - trial.submittedAt - prepareMs] : [],
  );
  return Math.max(0, ...waits) / 1000;
}
