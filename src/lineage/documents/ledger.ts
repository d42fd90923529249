import { z } from 'zod';
import { amounts } from './budget.js';
import { savingSchema } from './saving.js';

/** What was spent, under the key it was reserved with; only a row that counts no reservation yet is ever filled in. */
export const ledgerDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  what: z.string(),
  role: z.string(),
  trial: z.number().int().nullable(),
  reserved: amounts,
  spent: amounts,
  /** known: measured or reported; unpaid: nothing was charged; unknown: a lost request at its upper bound. */
  certainty: z.enum(['known', 'unpaid', 'unknown']),
  /** The reservation that it counts; null for what reserved nothing. */
  hold: z.string().nullable(),
  /** What was not spent: a row of its own, whose `spent` is nothing. */
  saved: savingSchema.nullable().default(null),
  at: z.date(),
});
export type LedgerDocument = z.infer<typeof ledgerDocument>;
