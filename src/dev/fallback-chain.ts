import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../domain/errors.js';
import { NEVER } from './process/abortable.js';
import { parsedJson, replaceFile, textOf } from './files.js';
import { cacheFolder } from './paths.js';

/** One way of finding a program. */
export interface FallbackStep<T> {
  /** Name for people: `the official download`. */
  name: string;
  /** One line: what makes this way work. */
  remedy: string;
  /** Returns null when this way does not have the program and nothing went wrong. */
  find(): Promise<T | null>;
}

/** Reason why one way did not lead to the program. */
export interface FailedStep {
  way: string;
  reason: string;
  remedy: string;
}

/**
 * Tries the ways in their order; each failure is kept for the message, and the next way is tried. Rejects with the
 * signal's reason when that was aborted.
 */
export async function firstThatWorks<T>(
  ways: readonly FallbackStep<T>[],
  say: (line: string) => void,
  signal: AbortSignal = NEVER,
): Promise<{ found: T | null; misses: FailedStep[] }> {
  const misses: FailedStep[] = [];
  for (const way of ways) {
    signal.throwIfAborted();
    try {
      const found = await way.find();
      if (found !== null) return { found, misses };
      misses.push({ way: way.name, reason: 'not there', remedy: way.remedy });
    } catch (error) {
      signal.throwIfAborted();
      const reason = messageOf(error).split('\n')[0] ?? '';
      misses.push({ way: way.name, reason, remedy: way.remedy });
      say(`${way.name}: ${reason}`);
    }
  }
  return { found: null, misses };
}

/** The misses as lines of an error message. */
export function failureLines(misses: readonly FailedStep[]): string {
  return misses.map((miss) => `\n  - ${miss.way}: ${miss.reason}. To use it: ${miss.remedy}`).join('');
}

const DAY_MS = 24 * 60 * 60 * 1000;
const refusalShape = z.object({ at: z.number(), reason: z.string() });
export const RETRY_VARIABLE = 'ASSAY_RETRY_DOWNLOADS';

/**
 * A download that failed is not tried again for a day, so that not every command waits for a blocked network;
 * ASSAY_RETRY_DOWNLOADS=1 tries at once.
 */
export async function unlessRefused<T>(
  name: string,
  download: () => Promise<T>,
  signal: AbortSignal = NEVER,
): Promise<T> {
  const file = join(cacheFolder(), 'refused', `${name}.json`);
  const earlier = refusalShape.safeParse(parsedJson((await textOf(file)) ?? ''));
  const age = earlier.success ? Date.now() - earlier.data.at : DAY_MS;
  if (earlier.success && age >= 0 && age < DAY_MS && !process.env[RETRY_VARIABLE]) {
    const hours = Math.ceil((DAY_MS - age) / 3_600_000);
    throw new Error(
      `${earlier.data.reason} (remembered; tried again in ${hours} h, or now with ${RETRY_VARIABLE}=1)`,
    );
  }
  try {
    return await download();
  } catch (error) {
    signal.throwIfAborted();
    await mkdir(join(cacheFolder(), 'refused'), { recursive: true });
    const reason = messageOf(error).split('\n')[0] ?? '';
    await replaceFile(file, JSON.stringify({ at: Date.now(), reason }));
    throw error;
  }
}
