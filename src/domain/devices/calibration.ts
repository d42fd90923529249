import { meanOf } from '../decision/noise.js';
import { decisionMetric, TIME_RATIO, type Task } from '../task/task.js';
import type { CalibratedClass } from './host-class.js';

/** One: a campaign keeps to the class of hosts that calibrated it first; any: it takes each that has measured its start. */
export const HOST_CLASSES = ['one', 'any'] as const;
export type HostClasses = (typeof HOST_CLASSES)[number];

/** A training that a host is asked for. */
export interface AskedTraining {
  /** `calibration`: the start once more, to compare a class of hosts with the campaign's first. */
  kind: 'start' | 'trial' | 'claim' | 'calibration';
  /** The class that it needs; null where the campaign decides. */
  hostClass: string | null;
}

/** `uncalibrated`: here, once the start has been measured on this class. */
export type Place = 'here' | 'elsewhere' | 'uncalibrated';

/**
 * Decides whether a host of a class may do a training. The start and what is claimed stay on the class that came first,
 * so that they are compared as they were measured.
 */
export function placeOfTraining(
  calibrated: readonly CalibratedClass[],
  own: string,
  { kind, hostClass }: AskedTraining,
  allowed: HostClasses,
): Place {
  const classes = calibrated.filter(({ work }) => work === 'train').map(({ id }) => id);
  const [home] = classes;
  if (hostClass !== null) return hostClass === own ? 'here' : 'elsewhere';
  if (home === undefined || home === own) return 'here';
  if (allowed === 'one' || kind !== 'trial') return 'elsewhere';
  return classes.includes(own) ? 'here' : 'uncalibrated';
}

type Metrics = Readonly<Record<string, number>>;

/**
 * The metrics that are compared across classes: what decides, and guards. A ratio of times was taken on one host, and
 * gates on anything else hold for what was measured.
 */
export const comparedMetrics = (task: Task): string[] =>
  [...new Set([decisionMetric(task), ...task.guards.map(({ metric }) => metric)])].filter(
    (metric) => metric !== TIME_RATIO,
  );

/** Amounts to add to metrics of a class, so that the start scores there what it scores on the first one. */
export function shiftBetween(
  names: readonly string[],
  first: readonly Metrics[],
  own: readonly Metrics[],
): Record<string, number> {
  const means = (runs: readonly Metrics[], name: string): number | null => {
    const values = runs.flatMap((run) => run[name] ?? []);
    return values.length === 0 ? null : meanOf(values);
  };
  return Object.fromEntries(
    names.flatMap((name) => {
      const [there, here] = [means(first, name), means(own, name)];
      return there === null || here === null ? [] : [[name, there - here]];
    }),
  );
}

/** Metrics as they would be on the first class of a campaign. */
export function shifted(metrics: Metrics, shift: Metrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, value + (shift[name] ?? 0)]),
  );
}
