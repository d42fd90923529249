import { z } from 'zod';

export const fault = z.object({
  fence: z.number().int(),
  what: z.string(),
  reason: z.string(),
  /** The code of the error, null for one that has none. */
  code: z.string().nullable(),
  host: z.string(),
  at: z.date(),
});
/** An attempt that the infrastructure, not the recipe, ended. */
export type Fault = z.infer<typeof fault>;
