import type { ErrorCode } from '../domain/errors.js';
import type { TrialStatus } from '../domain/statuses.js';

/** What an input comes to: an error of the registry, a status of a trial, or a plain answer. */
export type Gets = { error: ErrorCode } | { status: TrialStatus } | { words: string };

/** One kind of input that is wrong. */
export interface BadInput {
  input: string;
  /** The step that notices it first. */
  noticed: string;
  /** In the order in which they happen. */
  gets: readonly Gets[];
  /** How it reads; N stands for numbers, NAME for names. */
  reads: string;
  /** The test that shows it, or its first step only; null where it was only read from the code. */
  tested: { by: string; whole: boolean } | null;
}

export const error = (code: ErrorCode): Gets => ({ error: code });
export const status = (ended: TrialStatus): Gets => ({ status: ended });
export const said = (words: string): Gets => ({ words });

export const shownBy = (by: string): BadInput['tested'] => ({ by, whole: true });
export const begunBy = (by: string): BadInput['tested'] => ({ by, whole: false });
