import type { ToldStatus } from '../domain/session/told.js';
import type { TrialStage } from '../domain/statuses.js';
import { amount } from './answers.js';

/** Texts about the trials of a session that it did not wait for. */

/** A trial that is measured while its session goes on. */
export const queuedAnswer = (trial: number, base: number): string =>
  `trial ${trial}: queued\nThe workspace still stands on trial ${base}. await_trials gives the result; withdraw takes it back before it is trained.`;

/** A trial that was asked after and has not ended. */
export const openAnswer = (trial: number, stage: TrialStage): string => `trial ${trial}: not ended, ${stage}`;

export const NOTHING_AWAITED = 'no trial of this session is awaited';

export const withdrawnAnswer = (trial: number): string =>
  `trial ${trial}: cancelled\nwithdrawn before it was trained; it costs none of the trials`;

/** News since a session was told last. */
export interface News {
  /** The frontier where it has moved, and its score. */
  frontier: { trial: number; score: number | null } | null;
  /** Trials of its own that have ended. */
  ended: { trial: number; status: ToldStatus; score: number | null }[];
  /** Trials of its own that wait to be measured and do not stand on the frontier that has moved. */
  waiting: { trial: number; parent: number | null }[];
}

const scored = (score: number | null): string => (score === null ? '' : `, score ${amount(score)}`);

/** The news in one line; null where there is none. */
export function newsLine({ frontier, ended, waiting }: News): string | null {
  const parts = [
    ...(frontier === null ? [] : [`the frontier is now trial ${frontier.trial}${scored(frontier.score)}`]),
    ...ended.map(({ trial, status, score }) => `your trial ${trial} ended: ${status}${scored(score)}`),
    ...waiting.map(
      ({ trial, parent }) =>
        `your trial ${trial}, which stands on trial ${parent ?? 'none'}, still waits: withdraw it and rebase, or let it be measured`,
    ),
  ];
  return parts.length === 0 ? null : `meanwhile: ${parts.join('; ')}`;
}
