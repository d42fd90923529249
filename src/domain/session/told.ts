import { z } from 'zod';
import { trialStatusSchema } from '../statuses.js';

/** Status as a conversation is told it: `measured` where it may not know whether the trial was adopted. */
export const toldStatusSchema = z.union([trialStatusSchema, z.literal('measured')]);
export type ToldStatus = z.infer<typeof toldStatusSchema>;

/** Run-to-run noise of the recipes that a trial is one of. */
export interface Noise {
  sd: number;
  /** Runs from which it is known; null where they are not counted. */
  runs: number | null;
}
