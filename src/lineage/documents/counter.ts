import { z } from 'zod';

/** Last number and last counted place of a campaign, as hints: the unique keys of the trials decide. */
export const counterDocument = z.object({
  _id: z.string(),
  number: z.number().int(),
  counted: z.number().int(),
  /** Counted trials that gave their place back, by number. */
  returned: z.array(z.number().int()).default([]),
});
export type CounterDocument = z.infer<typeof counterDocument>;
