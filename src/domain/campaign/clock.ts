/** Source of time, injected wherever a decision depends on it, because a wall clock may jump. */
export interface Clock {
  /** Time that people read: may jump forwards and backwards, and differs between hosts. */
  wall(): Date;
  /** Milliseconds since some moment of this process: never jumps, and is meaningless in another process. */
  monotonicMs(): number;
}

/** Elapsed time of a campaign, in milliseconds. Every decision that depends on elapsed time reads it here. */
export interface Elapsed {
  /** Counts the writes, so that two watchers never add the same time. */
  tick: number;
  /** Time at work: everything but recorded pauses. */
  ranMs: number;
  /** Time in recorded pauses. */
  stillMs: number;
  /** Time at work since the frontier last moved. */
  sinceGainMs: number;
  /** Version of the frontier that `sinceGainMs` counts from. */
  gainVersion: number;
  /** Wall clock of the last writer. */
  at: Date;
}

export const elapsedFrom = (at: Date): Elapsed => ({
  tick: 0,
  ranMs: 0,
  stillMs: 0,
  sinceGainMs: 0,
  gainVersion: 0,
  at,
});

/**
 * Returns true when something was seen within `withinMs`, by a server that forgets what it has not seen for
 * `forgottenMs`. The server's clock is not ours: an age that is negative, or longer than the server remembers, is a
 * difference of clocks.
 */
export function seenLately(at: Date, now: Date, withinMs: number, forgottenMs: number): boolean {
  const age = now.getTime() - at.getTime();
  return age < withinMs || age > forgottenMs;
}

/** Counted age of a campaign when this process last looked, on this process's monotonic clock. */
export interface Anchor {
  monotonicMs: number;
  totalMs: number;
}

/** Returns the age of a campaign as counted: time at work plus recorded pauses. */
export function totalMs({ ranMs, stillMs }: Pick<Elapsed, 'ranMs' | 'stillMs'>): number {
  return ranMs + stillMs;
}

/**
 * Returns the milliseconds not counted yet, never negative. A process that has looked before uses its monotonic clock
 * and leaves out what others have counted since, so a wall clock that jumps changes nothing. One that has not,
 * because it replaces a dead worker, has only the difference of wall clocks.
 */
export function uncountedMs(
  before: Elapsed,
  anchor: Anchor | null,
  now: { wall: Date; monotonicMs: number },
): number {
  const passed =
    anchor === null
      ? now.wall.getTime() - before.at.getTime()
      : now.monotonicMs - anchor.monotonicMs - (totalMs(before) - anchor.totalMs);
  return Math.max(0, Math.round(passed));
}

/** Advances the counted time. The time that passed belongs to the control that held until now. */
export function advance(
  before: Elapsed,
  step: { elapsedMs: number; atWork: boolean; frontierVersion: number; wall: Date },
): Elapsed {
  const worked = step.atWork ? step.elapsedMs : 0;
  const gained = step.frontierVersion > before.gainVersion;
  return {
    tick: before.tick + 1,
    ranMs: before.ranMs + worked,
    stillMs: before.stillMs + step.elapsedMs - worked,
    sinceGainMs: gained ? 0 : before.sinceGainMs + worked,
    gainVersion: Math.max(before.gainVersion, step.frontierVersion),
    at: step.wall,
  };
}
