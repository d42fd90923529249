import { overText } from '../text/over.js';
import type { PhaseClock } from '../task/phase-clock.js';
import { hostText, isSlow, speedText, type HostUse } from './host-use.js';
import type { Failure } from './outcome.js';

/** A run of a phase that was ended at its limit. */
export interface Overrun extends HostUse {
  usedS: number;
}

/** Returns true when a first overrun is final: one on a host that was slower than usual is measured once more. */
export const isFinal = (overrun: Overrun): boolean => !isSlow(overrun);

const VERBS = { train: 'trained', pack: 'packed' } as const;

/** The failure of a phase whose overruns are final, in seconds; the host is named only with evidence. */
export function overrunFailure(
  phase: 'train' | 'pack',
  { budget, limitS }: PhaseClock,
  overruns: readonly Overrun[],
): Pick<Failure, 'status' | 'reason' | 'limit' | 'busyHost'> {
  const used = Math.min(...overruns.map(({ usedS }) => usedS));
  const over = budget !== null && limitS >= budget.seconds + budget.tolerance;
  const said = over
    ? `${VERBS[phase]} for more than ${round(budget.seconds)} s and its tolerance of ${round(budget.tolerance)} s`
    : `wall limit: ${Number(used.toPrecision(6))} of ${limitS} s${overText(used, limitS)}`;
  const name = over ? 'budget' : 'wall';
  return {
    status: 'train_budget_overrun',
    reason: `${said}${lateEvidence(overruns)}`,
    limit: { name, used, allowed: limitS, unit: 's' },
    busyHost: overruns.every(isSlow),
  };
}

/**
 * Describes, after the words of what was late, what is known of the host in each run; a host at its usual speed is not
 * mentioned.
 */
export function lateEvidence(overruns: readonly HostUse[]): string {
  const [first] = overruns;
  if (first === undefined) return '';
  if (overruns.length > 1)
    return `, and again when it was measured once more (${overruns.map(hostText).join('; then ')})`;
  if (first.hostSpeed === null) return '; how fast the host went is not known';
  return isSlow(first) ? ` (${hostText(first)})` : '';
}

const round = (seconds: number): number => Number(seconds.toPrecision(4));

/** Time that a phase with a budget took, and the speed of its host. */
export interface BudgetUse extends Pick<HostUse, 'hostSpeed' | 'usualSpeed'> {
  wallMs: number;
  budgetS: number | null;
}

/** A budget of which less than this share is left counts as used: a run cannot end on the second. */
const HEADROOM = 0.05;

/**
 * `7.2 of 10 s, 28 % of it unused`, with the speed of a host that was slower than usual; null for a phase without a
 * budget.
 */
export function budgetText({ wallMs, budgetS, ...host }: BudgetUse): string | null {
  if (budgetS === null) return null;
  const unused = 1 - wallMs / 1000 / budgetS;
  return [
    `${Number((wallMs / 1000).toPrecision(3))} of ${round(budgetS)} s`,
    ...(unused >= HEADROOM ? [`${Math.round(unused * 100)} % of it unused`] : []),
    ...slowText(host),
  ].join(', ');
}

/** `on a host at 0.62 of its full speed (usually 0.97)`, where it was slower than usual; else nothing. */
export function slowText(host: Pick<BudgetUse, 'hostSpeed' | 'usualSpeed'>): string[] {
  if (!isSlow(host)) return [];
  const usual = speedText(host.usualSpeed ?? 1);
  return [`on a host at ${speedText(host.hostSpeed)} of its full speed (usually ${usual})`];
}
