import { z } from 'zod';

export const fault = z.object({
  fence: z.number().int(),
  what: z.string(),
  reason: z.string(),
  /** Code of the error, or null. */
  code: z.string().nullable(),
  host: z.string(),
  at: z.date(),
});
/** An attempt that the infrastructure ended, not the recipe. */
export type Fault = z.infer<typeof fault>;
