import { z } from 'zod';
import { amounts } from './budget.js';
import { savingSchema } from './saving.js';

/** Spending under the key of its reservation; only a row without a reservation is ever filled in later. */
export const ledgerDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  what: z.string(),
  role: z.string(),
  trial: z.number().int().nullable(),
  reserved: amounts,
  spent: amounts,
  /**
   * known: measured or reported; unpaid: nothing was charged; estimated: a reply that broke off, by what its events
   * told; unknown: a lost request at its upper bound.
   */
  certainty: z.enum(['known', 'unpaid', 'estimated', 'unknown']),
  /** Reservation that it counts; null if nothing was reserved. */
  hold: z.string().nullable(),
  /** Saving, as a row of its own without `spent`. */
  saved: savingSchema.nullable().default(null),
  at: z.date(),
});
export type LedgerDocument = z.infer<typeof ledgerDocument>;
