import { overText } from '../text/over.js';
import type { Failure } from './outcome.js';
import type { PhaseClock } from '../task/phase-clock.js';

/** Below this part of its usual speed a host counts as slow. */
const SLOW = 0.9;

/** The usual speed of a host: the median of what was measured of it, full speed where nothing was. */
export function usualSpeed(speeds: readonly number[]): number {
  const sorted = [...speeds].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? 1 : (low + high) / 2;
}

/** Returns true when a host was slower than usual; an unknown speed is evidence of nothing. */
export const isSlow = (speed: number | null, usual: number): boolean =>
  speed !== null && speed < SLOW * usual;

/**
 * Returns true when a speed can be slow at all, so that the usual one is worth asking for: that is at most 1.
 */
export const mayBeSlow = (speed: number | null): boolean => isSlow(speed, 1);

/** A run of a phase that was ended at its limit. */
export interface Overrun {
  usedS: number;
  /** 0 … 1; null where it is not known. */
  hostSpeed: number | null;
}

/**
 * Returns true when a first overrun is final: one on a host that was slower than usual is measured once more. An
 * unknown usual speed counts as full speed.
 */
export const isFinal = ({ hostSpeed }: Overrun, usual: number | null): boolean =>
  !isSlow(hostSpeed, usual ?? 1);

const VERBS = { train: 'trained', pack: 'packed' } as const;

/** The failure of a phase whose overruns are final, in seconds; the host is named only with evidence. */
export function overrunFailure(
  phase: 'train' | 'pack',
  { budget, limitS }: PhaseClock,
  overruns: readonly Overrun[],
): Pick<Failure, 'status' | 'reason' | 'limit'> {
  const used = Math.min(...overruns.map(({ usedS }) => usedS));
  const over = budget !== null && limitS >= budget.seconds + budget.tolerance;
  const said = over
    ? `${VERBS[phase]} for more than ${round(budget.seconds)} s and its tolerance of ${round(budget.tolerance)} s`
    : `wall limit: ${Number(used.toPrecision(6))} of ${limitS} s${overText(used, limitS)}`;
  const name = over ? 'budget' : 'wall';
  return {
    status: 'train_budget_overrun',
    reason: `${said}${evidence(overruns)}`,
    limit: { name, used, allowed: limitS, unit: 's' },
  };
}

/** Describes what is known of the host; a host at its usual speed is not mentioned. */
function evidence(overruns: readonly Overrun[]): string {
  const speeds = overruns.map(({ hostSpeed }) => hostSpeed);
  if (overruns.length > 1)
    return `, and again when it was measured once more (the host went at ${speeds.map(speedText).join(', then ')} of its full speed)`;
  return speeds[0] === null ? '; how fast the host went is not known' : '';
}

const round = (seconds: number): number => Number(seconds.toPrecision(4));

/** `0.62`, or `an unknown part`. */
const speedText = (speed: number | null): string => (speed === null ? 'an unknown part' : speed.toFixed(2));

/** Time that a phase with a budget took, and the speed of its host. */
export interface BudgetUse {
  wallMs: number;
  budgetS: number | null;
  hostSpeed: number | null;
  usualSpeed: number | null;
}

/** `9.6 of 10 s`, with the speed of a host that was slower than usual; null for a phase without a budget. */
export function budgetText({ wallMs, budgetS, ...host }: BudgetUse): string | null {
  if (budgetS === null) return null;
  return [`${Number((wallMs / 1000).toPrecision(3))} of ${round(budgetS)} s`, ...slowText(host)].join(', ');
}

/** `on a host at 0.62 of its full speed (usually 0.97)`, where it was slower than usual; else nothing. */
export function slowText({ hostSpeed, usualSpeed }: Pick<BudgetUse, 'hostSpeed' | 'usualSpeed'>): string[] {
  const usual = usualSpeed ?? 1;
  if (!isSlow(hostSpeed, usual)) return [];
  return [`on a host at ${speedText(hostSpeed)} of its full speed (usually ${speedText(usual)})`];
}
