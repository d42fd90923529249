import { z } from 'zod';
import { storedTask } from './stored-task.js';
import { digest, storedFile } from './snapshot.js';

export const taskDocument = z.object({
  _id: digest,
  name: z.string(),
  spec: storedTask,
  files: z.array(storedFile),
  /** Secret that held-out data is derived from; the same on every host of this store, never in a sandbox. */
  dataSecret: z.string(),
  /** Digest of the manifest of the prepared data, as the first host wrote it. */
  manifest: digest.nullable(),
  pushedAt: z.date(),
});
export type TaskDocument = z.infer<typeof taskDocument>;

/** Task that a name currently stands for. */
export const taskNameDocument = z.object({ _id: z.string(), digest, by: z.enum(['person', 'bundled']) });
