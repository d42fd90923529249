import { z } from 'zod';

export const enforcementSchema = z.enum(['enforced', 'advisory', 'none']);

/** What really held a process of the recipe, tier A (strongest) to E (process group only). */
export const isolationSchema = z.strictObject({
  tier: z.enum(['A', 'B', 'C', 'D', 'E']),
  fs: enforcementSchema,
  net: enforcementSchema,
  pid: enforcementSchema,
  mem: enforcementSchema,
  pids: enforcementSchema,
  disk: enforcementSchema,
  gpu: enforcementSchema,
  secrets: enforcementSchema,
});
export type Isolation = z.infer<typeof isolationSchema>;
