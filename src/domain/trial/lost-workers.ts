/** Code of a fault without a report: the attempt's process was gone. */
export const LOST = 'LOST';

/** Workers that one trial may take with it before something is done about it. */
export const LOST_WORKERS = 3;

/** An attempt on a trial that the infrastructure ended, as far as it bears on this. */
export interface EndedAttempt {
  /** `prepare`, `train` or `evaluate`. */
  what: string;
  /** Code of the error; null for one that has none. */
  code: string | null;
  host: string;
}

export interface LossFacts {
  /** All faults of the trial: of its preparation and of all its replicates, on whatever host. */
  faults: readonly EndedAttempt[];
  /** Losses that a person has looked at before. */
  pardoned: number;
  /**
   * True when the sandbox keeps recipes from other processes, so that the recipe cannot have killed its worker.
   */
  isolated: boolean;
  /** True when its campaign has other work to do. */
  othersGoOn: boolean;
}

/**
 * Fate of a trial: it continues, ends as a crash, waits for a person alone (`park`), or its campaign does (`block`),
 * which has nothing else to do.
 */
export type LossVerdict =
  { kind: 'goesOn' } | { kind: 'crash' | 'park' | 'block'; lost: number; reason: string };

/**
 * Judges a trial by the workers that were lost with it. Where nothing keeps a recipe from its worker it may have killed
 * them and would kill each that takes it over, so it ends; elsewhere they were lost by the infrastructure, or by what
 * the trial makes of it, which is for a person to judge.
 */
export function judgeLosses({ faults, pardoned, isolated, othersGoOn }: LossFacts): LossVerdict {
  const lost = faults.filter(({ code }) => code === LOST);
  if (lost.length - pardoned < LOST_WORKERS) return { kind: 'goesOn' };
  const kind = !isolated ? 'crash' : othersGoOn ? 'park' : 'block';
  return { kind, lost: lost.length, reason: told(lost) };
}

/** `3 workers were lost with it (train on a, train on b, evaluate on a)`. */
function told(lost: readonly EndedAttempt[]): string {
  const last = lost.slice(-LOST_WORKERS).map(({ what, host }) => `${what} on ${host}`);
  const before = lost.length - last.length;
  const more = before === 0 ? '' : `, and ${before} before`;
  return `${lost.length} workers were lost with it (${last.join(', ')}${more})`;
}
