import { z } from 'zod';

/** Report of a worker about its host. */
export const hostDocument = z.object({
  /** HOST/POOL/ROLES. */
  _id: z.string(),
  host: z.string(),
  pool: z.string(),
  roles: z.array(z.string()),
  /** True when it takes work. */
  healthy: z.boolean(),
  why: z.string().nullable(),
  /** Time since which `healthy` is what it is, by the clock of the host. */
  since: z.date(),
  /** Time of the last report, by the clock of the host; a living worker reports every minute. */
  at: z.date(),
});
export type HostDocument = z.infer<typeof hostDocument>;
