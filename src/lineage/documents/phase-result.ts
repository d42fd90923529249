import { z } from 'zod';
import { onHost } from './on-host.js';
import { phaseRun, progressPoint, sealedBytes } from './phase-run.js';
import { storedFile } from './snapshot.js';

/**
 * Result of a phase under its key; `bytes` and `files` are null until the replicate that runs the phase has finished
 * it.
 */
export const phaseResultDocument = z.object({
  _id: z.string(),
  owner: z.string(),
  phase: z.enum(['prewarm', 'train', 'pack']),
  replicate: z.string(),
  trial: z.number().int(),
  run: phaseRun.nullable(),
  bytes: sealedBytes.nullable(),
  files: z.array(storedFile).nullable(),
  /** Place of their bytes; null where they are in the store. */
  onHost: onHost.nullable().default(null),
  progress: z.array(progressPoint),
  /** True once its outputs could not be kept: nobody waits for it then, and each runs the phase itself. */
  unkept: z.boolean().default(false),
});
export type PhaseResultDocument = z.infer<typeof phaseResultDocument>;
