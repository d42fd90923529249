import { z } from 'zod';
import { tierNameSchema } from '../../domain/task/isolation.js';
import { machineSchema } from '../../domain/devices/host-class.js';

/** An accelerator as a worker of its host last saw it. */
export const hostDevice = z.object({
  uuid: z.string(),
  index: z.number().int(),
  name: z.string(),
  memoryBytes: z.number(),
  driver: z.string(),
  /** False for one that its driver does not list any more. */
  present: z.boolean(),
  usedBytes: z.number().nullable(),
  /** 0 … 1. */
  utilisation: z.number().nullable(),
  throttled: z.array(z.string()),
  /** Work of this worker that has it, in words. */
  heldFor: z.string().nullable(),
  /** Reason why it gets no work, and since when; null while it does. */
  unfit: z.object({ reason: z.string(), since: z.date() }).nullable(),
});
export type HostDevice = z.infer<typeof hostDevice>;

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
  /** Accelerators that it leases; none in the pool `cpu`. */
  devices: z.array(hostDevice).default([]),
  /** Time of the last report, by the host's clock; a live worker reports every minute. */
  at: z.date(),
  /** The machine; null where an older assay reported. */
  machine: machineSchema.nullable().default(null),
  /** Isolation tier that it holds; null where an older assay reported. */
  tier: tierNameSchema.nullable().default(null),
  /** Id of the folder in which this host keeps what is too large for the store; null before it said so. */
  kept: z.string().nullable().default(null),
});
export type HostDocument = z.infer<typeof hostDocument>;
/** A report as a worker makes it. */
export type HostReport = z.input<typeof hostDocument>;
