import { meanOf } from '../decision/noise.js';
import { doubtOf, type GatedRun, type Strictness } from '../task/gate-doubt.js';
import { exactGates, firstMiss, margins, statusOfMiss, type Doubt, type Margin } from '../task/gates.js';
import type { Gate } from '../task/schema/gate.js';
import { unmeasured, type Failure, type Outcome } from './outcome.js';
import { failureText, missText } from './outcome-words.js';
import type { Task } from '../task/task.js';

interface Measured {
  failure: Failure | null;
  metrics: Record<string, number>;
  standardErrors?: Readonly<Record<string, number>> | undefined;
}

/** Results of the phases of one run in the store. */
export interface Run {
  trained: Measured | null;
  evaluated: (Measured & { feedback: string }) | null;
}

/** Results of a trial in the store. */
export interface Evidence extends Run {
  preflight: Failure | null;
  /** The metric that the decision uses. */
  metric: string;
}

/** How runs are judged. */
export interface Judging extends Pick<Evidence, 'preflight' | 'metric'> {
  /** How statistical gates hold them. */
  as: Strictness['as'];
  /** Runs of the start, which tell the spread between runs too; none where these are its own. */
  start: readonly Run[];
}

const JUST_THE_MEAN = (): null => null;

/** A run as statistical gates see it. */
export const gatedRun = ({ trained, evaluated }: Run): GatedRun => ({
  metrics: { ...trained?.metrics, ...evaluated?.metrics },
  standardErrors: { ...trained?.standardErrors, ...evaluated?.standardErrors },
});

/**
 * Computes the outcome of a trial from all its runs: a failure of one of them counts, an exact gate holds for each,
 * and statistical gates and scores use their means, the gates with the error of the mean. Runs that were cut short say
 * nothing beside whole ones. `scores` has one number for each whole run that has one.
 */
export function outcomeOfRuns(
  task: Task,
  runs: readonly Run[],
  { preflight, metric, as, start }: Judging,
): { outcome: Outcome | null; scores: number[] } {
  const doubtsIn =
    (of: readonly Run[]) =>
    (gate: Gate): Doubt | null =>
      doubtOf(gate, of.map(gatedRun), { as, others: start.map(gatedRun) });
  const exact = { ...task, gates: exactGates(task.gates) };
  const each = runs.map((run) => outcomeOf(exact, { ...run, preflight, metric }));
  const scores = each.flatMap((outcome) => outcome?.score ?? []);
  const [only] = runs;
  if (runs.length < 2)
    return {
      outcome: outcomeOf(
        task,
        { trained: null, evaluated: null, ...only, preflight, metric },
        doubtsIn(runs),
      ),
      scores,
    };
  // one that its own progress stopped ends as `discard`, and has no score
  const ended = each.find(
    (outcome) => outcome !== null && (outcome.status !== 'discard' || outcome.failure !== null),
  );
  if (ended != null) return { outcome: ended, scores };
  const whole = runs.filter((_, i) => each[i] !== null);
  return { outcome: outcomeOf(task, { ...meanRun(whole), preflight, metric }, doubtsIn(whole)), scores };
}

/** Runs that have no failure, as one: the mean of each metric that all of them have. */
function meanRun(runs: readonly Run[]): Run {
  const meanRunOf = (all: readonly (Measured | null)[]): Measured | null => {
    const metrics = all.map((one) => one?.metrics ?? {});
    const names = Object.keys(metrics[0] ?? {}).filter((name) => metrics.every((one) => name in one));
    const mean = (name: string): number => meanOf(metrics.map((one) => one[name] ?? 0));
    return all.length === 0
      ? null
      : { failure: null, metrics: Object.fromEntries(names.map((name) => [name, mean(name)])) };
  };
  const evaluated = meanRunOf(runs.map((run) => run.evaluated));
  return {
    trained: meanRunOf(runs.map((run) => run.trained)),
    evaluated: evaluated === null ? null : { ...evaluated, feedback: runs[0]?.evaluated?.feedback ?? '' },
  };
}

/**
 * Computes the outcome of a trial from its own evidence, with `discard` standing for whatever the decision rule will
 * say of a measured one; null when its phases have not all run.
 */
export function outcomeOf(
  task: Task,
  { preflight, trained, evaluated, metric }: Evidence,
  doubtAt: (gate: Gate) => Doubt | null = JUST_THE_MEAN,
): Outcome | null {
  const metrics = { ...trained?.metrics, ...evaluated?.metrics };
  const found = margins(task.gates, metrics, doubtAt);
  const failure = preflight ?? trained?.failure ?? evaluated?.failure ?? null;
  if (failure !== null)
    return {
      ...unmeasured(failure.status, failureText(failure)),
      failure,
      metrics,
      margins: marginsOf(failure, found),
    };
  const miss = firstMiss(found);
  const score = metrics[metric] ?? null;
  if (miss !== undefined)
    return {
      ...unmeasured(statusOfMiss(task.gates, miss), missText(miss)),
      score,
      metrics,
      margins: found,
      feedback: evaluated?.feedback ?? '',
    };
  if (trained === null || evaluated === null || score === null) return null;
  return { ...unmeasured('discard', ''), score, metrics, margins: found, feedback: evaluated.feedback };
}

/** Near gates matter to agents; those of a failed trial are given only where they explain it. */
function marginsOf(failure: Failure, found: Margin[]): Margin[] {
  return failure.status === 'size_blocked' ? found : [];
}
