import { z } from 'zod';

export const savingSchema = z.object({
  /** reuse: an earlier result was taken; stop: a hopeless run was ended early. */
  kind: z.enum(['reuse', 'stop']),
  phase: z.string(),
  /** Trial whose result was taken; null for a stop. */
  trial: z.number().int().nullable(),
  replicate: z.string().nullable(),
  /** Accelerator time that was not spent, in milliseconds of one slot. */
  acceleratorMs: z.number().int().nonnegative(),
});
/** Compute that was saved, and why. */
export type Saving = z.infer<typeof savingSchema>;
