import { z } from 'zod';

export const savingSchema = z.object({
  /** reuse: an earlier result was taken; stop: a hopeless run was ended early. */
  kind: z.enum(['reuse', 'stop']),
  phase: z.string(),
  /** Whose result was taken; null for a stop. */
  trial: z.number().int().nullable(),
  replicate: z.string().nullable(),
  /** Accelerator time that was not spent, in milliseconds of one slot. */
  acceleratorMs: z.number().int().nonnegative(),
});
/** Compute that was not needed, and why. */
export type Saving = z.infer<typeof savingSchema>;
