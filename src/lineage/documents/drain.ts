import { z } from 'zod';

/** Note of a host that keeps its slots for requests of one size. */
export const drainDocument = z.object({
  /** POOL/HOST. */
  _id: z.string(),
  host: z.string(),
  /** Class of sizes that it keeps them for. */
  size: z.number().int().positive(),
  /** Moves about every second while the host lives: hosts compare no clocks. */
  renewals: z.number().int().nonnegative(),
});
export type DrainDocument = z.infer<typeof drainDocument>;
