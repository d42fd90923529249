/** Time for which a provider's cache keeps what is marked. */
export const CACHE_TIMES = ['5m', '1h'] as const;
export type CacheTime = (typeof CACHE_TIMES)[number];

/** Longest wait after which a cache of five minutes is still there, with time left for the turn itself. */
const SHORT_WAIT_MS = 4 * 60_000;

/**
 * Chooses how long prompts are kept: an hour where a model waits longer for a trial than five minutes would allow, by
 * the median of what it waited, or before there is any by the time limit of a training.
 */
export function cacheTimeOf(waitedMs: readonly number[], limitMs: number): CacheTime {
  const sorted = [...waitedMs].sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? limitMs;
  return median > SHORT_WAIT_MS ? '1h' : '5m';
}
