import { z } from 'zod';

/** The last number and the last counted place of a campaign, as hints: the unique keys of the trials decide. */
export const counterDocument = z.object({
  _id: z.string(),
  number: z.number().int(),
  counted: z.number().int(),
});
