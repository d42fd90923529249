/** Where time comes from; injected wherever something is decided by it, because a wall clock may jump. */
export interface Clock {
  /** What people read: may jump forwards and backwards, and differs between hosts. */
  wall(): Date;
  /** Milliseconds since some moment of this process: never jumps, and means nothing in another process. */
  monotonicMs(): number;
}

/** What a campaign has behind it, in milliseconds. Everything that decides by elapsed time reads it from here. */
export interface Elapsed {
  /** Counts the writes, so that two watchers never add the same time. */
  tick: number;
  /** At work: everything but recorded pauses. */
  ranMs: number;
  /** Standing still, by a recorded pause. */
  stillMs: number;
  /** At work since the frontier last moved. */
  sinceGainMs: number;
  /** The version of the frontier that `sinceGainMs` counts from. */
  gainVersion: number;
  /** The wall clock of whoever wrote last. */
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
 * Whether something was seen within `withinMs`, by a server that forgets what it has not seen for `forgottenMs`. The
 * server's clock is not ours: an age that is negative, or beyond what the server remembers, tells of the clocks and not
 * of what was seen.
 */
export function seenLately(at: Date, now: Date, withinMs: number, forgottenMs: number): boolean {
  const age = now.getTime() - at.getTime();
  return age < withinMs || age > forgottenMs;
}

/** How far a campaign was when this process last looked, on this process's monotonic clock. */
export interface Anchor {
  monotonicMs: number;
  totalMs: number;
}

/** The age of a campaign as counted: at work and standing still. */
export function totalMs({ ranMs, stillMs }: Pick<Elapsed, 'ranMs' | 'stillMs'>): number {
  return ranMs + stillMs;
}

/**
 * Milliseconds that nobody has counted yet, never negative. A process that has looked before goes by its monotonic
 * clock and leaves out what others have counted since, so a wall clock that jumps changes nothing. One that has not,
 * because the worker before it is gone, has only the wall clocks' difference.
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

/** One step further. What passed belongs to what the campaign did until now, whatever it does from now on. */
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
