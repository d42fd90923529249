import { z } from 'zod';

/** The trial that measures the start on a class of hosts, for which others that need the class wait. */
export const calibrationDocument = z.object({
  /** OWNER/CLASS. */
  _id: z.string(),
  owner: z.string(),
  hostClass: z.string(),
  trial: z.number().int(),
  /** Hosts of other classes that were asked for a run of it since it began. */
  refusals: z.number().int().nonnegative(),
});
export type CalibrationDocument = z.infer<typeof calibrationDocument>;
