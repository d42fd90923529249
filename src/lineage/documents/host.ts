import { z } from 'zod';

/** What a worker says of its host. */
export const hostDocument = z.object({
  /** HOST/POOL/ROLES. */
  _id: z.string(),
  host: z.string(),
  pool: z.string(),
  roles: z.array(z.string()),
  /** Whether it takes work. */
  healthy: z.boolean(),
  why: z.string().nullable(),
  /** When `healthy` became what it is, by the clock of the host. */
  since: z.date(),
  /** When this was said last, by the clock of the host; a living worker says it every minute. */
  at: z.date(),
});
export type HostDocument = z.infer<typeof hostDocument>;
