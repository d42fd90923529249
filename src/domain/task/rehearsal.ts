import { z } from 'zod';
import { finite } from '../trial/evaluation.js';
import { isSlow, speedText } from '../trial/host-use.js';
import type { Failure } from '../trial/outcome.js';
import type { Task } from './task.js';

/** One run of the evaluator on a share of a full evaluation, in seconds by the harness's clock. */
export interface Rehearsed {
  /** From the evaluator's start to the server's first answer; null when it never answered. */
  greetS: number | null;
  /** From then to the evaluator's end; from its start, where the server never answered. */
  servedS: number;
  /** Reason why the recipe was late, in words; then the seconds are those until it was given up. */
  late: string | null;
  /** Share of their runnable time in which the slower of server and evaluator had a processor; null if unknown. */
  hostSpeed: number | null;
}

export const projectionSchema = z.object({
  /** Seconds that a full evaluation would take: the least of the rehearsals. */
  seconds: finite,
  /** Limit in seconds. */
  limitS: finite,
  /** Part of a full evaluation that was rehearsed. */
  share: finite,
  rehearsals: z.number().int().positive(),
});
/** Projected duration of the evaluation, as far as it can be known before training. */
export type Projection = z.infer<typeof projectionSchema>;

/**
 * Factor above the limit at which a projection ends a trial. The measurement is of a share, with an artifact that was
 * hardly trained, on a host that may have been busy: below this it is only reported.
 */
export const DOUBT = 1.25;
/** The limit that a projection missed, as it is called in failures. */
const PROJECTED = 'evaluation, projected';

/**
 * Returns the seconds that an evaluation may take: what the task says its evaluator allows, else the evaluation's
 * wall limit.
 */
export function evaluationLimit({ evaluate }: Pick<Task, 'evaluate'>): number {
  return evaluate.rehearsal?.limit_s ?? evaluate.timeout_s;
}

/**
 * Seconds of a full evaluation on a host at full speed: the start once, the answers as often as there are shares. What
 * a slow host took from the rehearsal is not counted.
 */
export function projectedSeconds(run: Rehearsed, share: number): number {
  const { greetS, servedS, hostSpeed } = run;
  const seconds = greetS === null ? servedS : greetS + servedS / share;
  return onSlowHost(run) ? seconds * (hostSpeed ?? 1) : seconds;
}

const onSlowHost = ({ hostSpeed }: Rehearsed): boolean => isSlow({ hostSpeed, usualSpeed: null });

/** Returns true for a rehearsal that says nothing of the recipe: it was late, and so was everything on that host. */
const saysNothing = (run: Rehearsed): boolean => run.late !== null && onSlowHost(run);

/** Rehearsals of an evaluation that must agree before they end a trial. */
export const REHEARSALS = 2;

const isOver = (run: Rehearsed, share: number, limitS: number): boolean =>
  !saysNothing(run) && (run.late !== null || projectedSeconds(run, share) > DOUBT * limitS);

/** Returns true when these rehearsals would end the trial, so that another has to confirm it. */
export function needsAnother(runs: readonly Rehearsed[], share: number, limitS: number): boolean {
  return runs.length < REHEARSALS && runs.every((run) => saysNothing(run) || isOver(run, share, limitS));
}

/** Reason why rehearsals project nothing; null where they do. */
export function unprojected(runs: readonly Rehearsed[]): string | null {
  const [last] = runs.slice(-1);
  if (last === undefined || !runs.every(saysNothing)) return null;
  return `${last.late ?? ''}, on a host at ${speedText(last.hostSpeed)} of its full speed`;
}

/** The projection; null where no rehearsal says anything. */
export function projectionOf(runs: readonly Rehearsed[], share: number, limitS: number): Projection | null {
  const telling = runs.filter((run) => !saysNothing(run));
  if (telling.length === 0) return null;
  const seconds = Math.min(...telling.map((run) => projectedSeconds(run, share)));
  return { seconds: Number(seconds.toPrecision(6)), limitS, share, rehearsals: runs.length };
}

/** Seconds over the limit; above 0 is over. */
export const secondsOver = ({ seconds, limitS }: Projection): number => seconds - limitS;

/**
 * Returns the failure that ends the trial where each of REHEARSALS was too long by far or late; else null.
 */
export function rehearsalFailure(
  runs: readonly Rehearsed[],
  share: number,
  limitS: number,
  tail: string,
): Failure | null {
  const projection = projectionOf(runs, share, limitS);
  if (projection === null || runs.length < REHEARSALS) return null;
  if (!runs.every((run) => isOver(run, share, limitS))) return null;
  const late = runs.find((run) => run.late !== null)?.late ?? null;
  const { seconds } = projection;
  const bound = runs.some((run) => run.late !== null) ? 'at least ' : '';
  const over = Number((seconds - limitS).toPrecision(3));
  return {
    status: 'eval_budget_overrun',
    phase: 'rehearsal',
    reason: [
      `projected before training: the evaluation would take ${bound}${round(seconds)} s of ${limitS} s`,
      ...(over > 0 ? [`, ${over} s over`] : []),
      ` (${share * 100} % of it was rehearsed, ${runs.length} times${slowNote(runs)})`,
      ...(late === null ? [] : [`; ${late}`]),
    ].join(''),
    limit: over > 0 ? { name: PROJECTED, used: round(seconds), allowed: limitS, unit: 's' } : null,
    tail,
  };
}

function slowNote(runs: readonly Rehearsed[]): string {
  const slow = runs.filter(onSlowHost).map(({ hostSpeed }) => speedText(hostSpeed));
  return slow.length === 0
    ? ''
    : `, less what a host at ${slow.join(' and ')} of its full speed took from it`;
}

const round = (seconds: number): number => Number(seconds.toPrecision(4));
