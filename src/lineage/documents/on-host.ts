import { z } from 'zod';

/** The folder of a host that keeps what is too large for the store; its id survives restarts, and no other has it. */
export const hostPlace = z.object({ host: z.string(), folder: z.string() });
export type HostPlace = z.infer<typeof hostPlace>;

/** Outputs whose bytes are not in the store but on the host that made them. */
export const onHost = hostPlace.extend({
  /** Time at which it was found that they are there no more; null while they may be. */
  gone: z.date().nullable().default(null),
});
export type OnHost = z.infer<typeof onHost>;
