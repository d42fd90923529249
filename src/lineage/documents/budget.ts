import { z } from 'zod';
import { limitsSchema } from '../../domain/money/budget.js';

export const amounts = z.object({
  microUsd: z.number().int(),
  acceleratorMs: z.number().int(),
  tokens: z.number().int(),
});
/** Money in millionths of a dollar, accelerator time in milliseconds of one slot, tokens of all kinds. */
export type Amounts = z.infer<typeof amounts>;

const limitChange = z.object({
  /** Update that asked for the change; each is applied once. */
  id: z.string(),
  at: z.date(),
  by: z.string().nullable(),
  from: limitsSchema,
  to: limitsSchema,
});
export type LimitChangeRecord = z.infer<typeof limitChange>;

export const budgetDocument = z.object({
  _id: z.string(),
  /** Current limits; the frozen campaign keeps those of its start. */
  limits: limitsSchema,
  /** Counts the changes of the limits, so that no amount is granted under outdated limits. */
  revision: z.number().int(),
  /** Append-only. */
  changes: z.array(limitChange),
  /** Settled spending plus all open reservations. */
  held: amounts,
  open: z.record(
    z.string(),
    z.object({
      key: z.string(),
      /** Identifies this reservation among all of its key. */
      hold: z.string(),
      trial: z.number().int().nullable(),
      reserved: amounts,
      role: z.string(),
      what: z.string(),
      since: z.date(),
    }),
  ),
});
export type BudgetDocument = z.infer<typeof budgetDocument>;
