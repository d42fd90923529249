import type { HostUse } from './host-use.js';

/** Bytes of a trial by part; null where a part was not measured. */
export interface SizeParts {
  code: number | null;
  artifact: number | null;
  total: number | null;
  /** Limit of the gate on the total; null without one. */
  limit: number | null;
}

/** Time that a phase took. */
export interface PhaseTime extends HostUse {
  phase: string;
  seconds: number;
  /** Seconds that it may take; null where it has no limit of its own. */
  limitS: number | null;
  /** Trial that ran it, where its result was taken over. */
  reusedFrom: number | null;
}
