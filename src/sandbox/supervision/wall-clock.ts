import type { Ending, LimitName, Limits } from '../run.js';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Bound on a run's time that is counted now. */
interface Bound {
  limit: LimitName;
  allowedS: number;
  began: number;
}

/**
 * Clock of a run's wall time. It starts with the run, or, for a run that warms up first, when that says that it is
 * ready; the warm-up has a bound of its own.
 */
export class WallClock {
  readonly #started = performance.now();
  #bound: Bound;
  #timer: NodeJS.Timeout | null = null;

  constructor(
    readonly limits: Limits,
    readonly warmupS: number | null,
    readonly end: (ending: Ending) => void,
  ) {
    this.#bound =
      warmupS === null
        ? { limit: 'wall', allowedS: limits.wallS, began: this.#started }
        : { limit: 'warmup', allowedS: warmupS, began: this.#started };
    this.#arm();
  }

  /** Ends the warm-up: the wall time counts from now. Changes nothing once the clock is stopped. */
  begin(): void {
    if (this.#timer === null) return;
    this.#bound = { limit: 'wall', allowedS: this.limits.wallS, began: performance.now() };
    this.#arm();
  }

  /** Milliseconds since the clock began; since the start, for a run that never was ready. */
  get elapsedMs(): number {
    return performance.now() - this.#bound.began;
  }

  /** Milliseconds from the start until the run was ready; null where it was not, or had no warm-up. */
  get warmupMs(): number | null {
    const { limit, began } = this.#bound;
    return this.warmupS === null || limit === 'warmup' ? null : began - this.#started;
  }

  stop(): void {
    clearTimeout(this.#timer ?? undefined);
    this.#timer = null;
  }

  #arm(): void {
    clearTimeout(this.#timer ?? undefined);
    const bound = this.#bound;
    const overran = (): void => {
      if (this.#timer === null || this.#bound !== bound) return;
      // a timer may fire a fraction of a millisecond early
      const { limit, allowedS: allowed } = bound;
      this.end({ kind: 'limit', limit, used: Math.max(this.elapsedMs / 1000, allowed), allowed });
    };
    this.#timer = setTimeout(
      // where this process was late itself, a run that has ended meanwhile is told first
      () => setImmediate(overran),
      Math.min(bound.allowedS * 1000, LONGEST_TIMER_MS),
    );
  }
}
