import { AssayError, messageOf } from '../../domain/errors.js';
import type { Ending } from '../run.js';

/** Reason why there is no tier. */
export interface Lacking {
  tier: null;
  /** Missing part, or what kept the probe from finding out. */
  why: string;
  /** One sentence on how to get it. */
  remedy: string;
  /** True when the probe could not be carried out: that says nothing about the tier. */
  failed?: boolean;
}

/** Result of one attempt of a probe. */
export type Attempt = { kind: 'holds' } | Refusal;

/** `lacks`: the tier does not hold here. `failed`: that could not be found out. */
export interface Refusal {
  kind: 'lacks' | 'failed';
  why: string;
}

export const HOLDS: Attempt = { kind: 'holds' };
export const lacks = (why: string): Refusal => ({ kind: 'lacks', why });
export const failed = (why: string): Refusal => ({ kind: 'failed', why });

/** Attempts at a probe that could not be carried out: a busy host is less busy a moment later. */
const ATTEMPTS = 3;

/**
 * Attempts a probe again while it cannot be carried out, a few times. An attempt that throws is judged by what it
 * threw.
 */
export async function attempted(probe: () => Promise<Attempt>): Promise<Attempt> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await probe().catch(judged);
    if (found.kind !== 'failed' || attempt === ATTEMPTS) return found;
  }
}

/** Errors of a system that has too little of something, or too much to do: none says anything about isolation. */
const SHORT_OF = new Map([
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['EBUSY', 'Device or resource busy'],
  ['EDQUOT', 'Disk quota exceeded'],
  ['EINTR', 'Interrupted system call'],
  ['EIO', 'Input/output error'],
  ['EMFILE', 'Too many open files'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOMEM', 'Cannot allocate memory'],
  ['ENOSPC', 'No space left on device'],
  ['ETXTBSY', 'Text file busy'],
]);

/** Judges a refusal by its code or words: the kernel refuses what a tier needs, or something else is lacking. */
export function refusalOf(error: unknown): Refusal {
  return { kind: isShortage(error) ? 'failed' : 'lacks', why: messageOf(error) };
}

/** A run that could not be set up is judged by its words; what fails beside it says nothing about the tier. */
function judged(error: unknown): Refusal {
  return error instanceof AssayError ? refusalOf(error) : failed(messageOf(error));
}

function isShortage(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && typeof error.code === 'string' && SHORT_OF.has(error.code)) return true;
  // bubblewrap says a limit on namespaces in its own words and then names the code
  const words = error.message.replace(/max_\S+_namespaces exceeded \(\w+\)/, '');
  for (const [code, text] of SHORT_OF)
    if (words.includes(text) || new RegExp(`\\b${code}\\b`).test(words)) return true;
  return error.cause !== undefined && isShortage(error.cause);
}

/** A question that a probe's program answers: a test for `sh`, and the answer of a tier that holds. */
export type Question = readonly [name: string, test: string, wanted: 'yes' | 'no'];

const BEGAN = 'began';

/** The script for `sh -c` of a probe's program: a line that it began, then one for each answer. */
export function questionScript(questions: readonly Question[]): string {
  const lines = questions.map(
    ([name, test]) => `if (${test}) >/dev/null 2>&1; then echo ${name} yes; else echo ${name} no; fi`,
  );
  return [`echo ${BEGAN}`, ...lines].join('\n');
}

/**
 * Judges what a probe's program printed. One that never began was refused by the tier; a shell that cannot fork ends
 * itself before it has answered all, which says nothing about the tier.
 */
export function answersJudged(questions: readonly Question[], log: string, ending: Ending): Attempt {
  const words = `${JSON.stringify(ending)}: ${log.slice(0, 200)}`;
  const lines = new Set(log.split('\n'));
  if (!lines.has(BEGAN)) return lacks(`its program did not begin: ${words}`);
  if (questions.some(([name]) => !lines.has(`${name} yes`) && !lines.has(`${name} no`)))
    return failed(`its program did not come to its end: ${words}`);
  const wrong = questions.filter(([name, , wanted]) => !lines.has(`${name} ${wanted}`)).map(([name]) => name);
  return wrong.length === 0
    ? HOLDS
    : lacks(`a probe found that it does not hold: ${wrong.join(', ')}: ${words}`);
}

/** Describes the end of a probe's program that was ended before it was through; null where it exited. */
export function cutShort(ending: Ending, log: string): string | null {
  if (ending.kind === 'exited') return null;
  return `its program ended with ${JSON.stringify(ending)}: ${log.slice(0, 200)}`;
}
