import { ENDINGS, groupBy, isValid, type Ending, type TrajectoryTrial } from './trajectory.js';

export type EndingCounts = Partial<Record<Ending, number>>;

export interface Outcomes {
  trials: number;
  keeps: number;
  /** Valid trials that were not kept. */
  validNonImprovements: number;
  counts: EndingCounts;
  byRole: { role: string; trials: number; counts: EndingCounts }[];
  /** Failed trials by the phase they failed in; null where the source does not tell it. */
  byStage: { stage: string | null; trials: number }[];
}

/** Counts the trials by ending, role and stage of failure. */
export function outcomes(trials: readonly TrajectoryTrial[]): Outcomes {
  const valid = trials.filter(isValid);
  const failed = trials.filter(({ ending }) => isFailure(ending));
  return {
    trials: trials.length,
    keeps: valid.filter(({ ending }) => ending === 'keep').length,
    validNonImprovements: valid.filter(({ ending }) => ending === 'discard').length,
    counts: counted(trials),
    byRole: [...groupBy(trials, ({ role }) => role)]
      .map(([role, own]) => ({ role, trials: own.length, counts: counted(own) }))
      .sort((a, b) => b.trials - a.trials || a.role.localeCompare(b.role)),
    byStage: [...groupBy(failed, stageOf)]
      .map(([stage, own]) => ({ stage, trials: own.length }))
      .sort((a, b) => b.trials - a.trials),
  };
}

/** Phases that an ending names by itself. */
const STAGES: Partial<Record<Ending, string>> = {
  preflight_crash: 'check',
  train_budget_overrun: 'train',
  size_blocked: 'pack',
  eval_budget_overrun: 'evaluate',
  disqualified: 'evaluate',
};

const stageOf = ({ stage, ending }: TrajectoryTrial): string | null => stage ?? STAGES[ending] ?? null;

/** True for an ending that gave nothing to compare: the trial failed, or missed a gate or a budget. */
export function isFailure(ending: Ending): boolean {
  return !['keep', 'discard', 'duplicate', 'cancelled', 'running'].includes(ending);
}

/** Counts by ending, in the order of the endings, without those that did not happen. */
export function counted(trials: readonly TrajectoryTrial[]): EndingCounts {
  const groups = groupBy(trials, ({ ending }) => ending);
  return Object.fromEntries(
    ENDINGS.flatMap((ending) => {
      const count = groups.get(ending)?.length ?? 0;
      return count === 0 ? [] : [[ending, count]];
    }),
  );
}

/** Failures that read alike. */
export interface Cause {
  ending: Ending;
  /** Reason in short, its numbers and names taken out. */
  cause: string;
  trials: number;
  example: { id: string; cause: string };
}

const LONGEST_KEY = 80;

/** Groups the failures by ending and by what their causes have in common, most frequent first. */
export function causes(trials: readonly TrajectoryTrial[]): Cause[] {
  const failed = trials.filter(({ ending }) => isFailure(ending));
  const groups = groupBy(failed, (trial) => `${trial.ending}\n${causeKey(trial.cause)}`);
  return [...groups]
    .flatMap(([key, own]) => {
      const [example] = own;
      if (example === undefined) return [];
      const cause = key.slice(key.indexOf('\n') + 1);
      return [
        {
          ending: example.ending,
          cause,
          trials: own.length,
          example: { id: example.id, cause: example.cause },
        },
      ];
    })
    .sort((a, b) => b.trials - a.trials);
}

/** The last named exception of a text, else its beginning with every number as `#`. */
function causeKey(cause: string): string {
  const named = [...cause.matchAll(/\b([A-Z]\w*(?:Error|Exception|Interrupt))\b/g)].map(([, name]) => name);
  // a launcher wraps the failure of its child in one of its own
  const last = named.findLast((name) => name !== 'ChildFailedError') ?? named.at(-1);
  const place = /\([^()\s]+:\d+ in (\w+)\)/.exec(cause)?.[1];
  if (last !== undefined) return place === undefined ? last : `${last} in ${place}`;
  return cause
    .replace(/\d[\d.,]*/g, '#')
    .replace(/\s+/g, ' ')
    .slice(0, LONGEST_KEY);
}
