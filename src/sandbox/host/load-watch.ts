import { setTimeout as sleep } from 'node:timers/promises';

const PERIOD_MS = 500;

/** A result, and the other work on the host in the mean over the time that it took. */
export interface UnderLoad<T> {
  result: T;
  others: number;
}

/**
 * Looks, while something is measured, how much other work there is; at least at its beginning and at its end. What is
 * measured calls `begin` when its time begins after a warm-up: what was seen before does not count.
 */
export async function underLoad<T>(
  others: () => Promise<number>,
  measure: (begin: () => void) => Promise<T>,
): Promise<UnderLoad<T>> {
  const over = new AbortController();
  let seen: number[] = [await others()];
  const begin = (): void => {
    seen = seen.slice(-1);
  };
  const looking = (async () => {
    while (await sleep(PERIOD_MS, true, { signal: over.signal }).catch(() => false))
      seen.push(await others());
  })();
  try {
    const result = await measure(begin);
    seen.push(await others());
    return { result, others: seen.reduce((sum, one) => sum + one, 0) / seen.length };
  } finally {
    over.abort();
    await looking;
  }
}
