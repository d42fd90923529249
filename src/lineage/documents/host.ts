import { z } from 'zod';
import { machineSchema } from '../../domain/devices/host-class.js';

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
  /** Time of the last change of `healthy`, by the host's clock. */
  since: z.date(),
  /** Time of the last report, by the host's clock; a live worker reports every minute. */
  at: z.date(),
  /** The machine; null where an older assay reported. */
  machine: machineSchema.nullable().default(null),
});
export type HostDocument = z.infer<typeof hostDocument>;
