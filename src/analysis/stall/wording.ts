import type { PendingActivity, StallReason } from './types.js';

/** Something that does not move, before those that wait for the same are told together. */
export interface Wait {
  what: StallReason['what'];
  id: string;
  /** Subject that waits. */
  subject: string;
  since: Date | null;
  /** Orders those that wait for the same: the first of them is told. */
  dueMs: number;
  says(who: Who): string;
  remedy: string | null;
}

/** The subjects of a sentence. */
export interface Who {
  names: string;
  many: boolean;
}

/** Activities that wait by design for as long as the campaign or another trial takes. */
export const WAITING = new Set([
  'watch',
  'awaitCalibration',
  'awaitControl',
  'awaitMilestone',
  'awaitTraining',
  'awaitTwin',
]);
/** Time within which a handed out task did not wait. */
export const HANDOUT_MS = 3000;
/** Living activities say so every 5 s. */
const SILENT_MS = 12_000;
/** Activities that say nothing while they live are short. */
const SHORT_MS = 60_000;

/** Milliseconds of silence that are too long for a living worker, or null. */
export function silence(now: Date, activity: PendingActivity): number | null {
  const { startedAt, heartbeatAt, heartbeatTimeoutMs, startToCloseMs } = activity;
  const quiet = Math.min(ago(now, startedAt), ago(now, heartbeatAt));
  const short = heartbeatTimeoutMs === null && (startToCloseMs === null || startToCloseMs > SHORT_MS);
  return short || !Number.isFinite(quiet) || quiet < SILENT_MS ? null : quiet;
}

/** Milliseconds since a moment; endless where there was none. */
export function ago(now: Date, at: Date | null): number {
  return at === null ? Infinity : Math.max(0, now.getTime() - at.getTime());
}

/** `34 s`, `3 min`, `2 h`: never negative. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds <= 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
