import { Binary, ObjectId } from 'mongodb';
import { z } from 'zod';

/** Bytes under their digest, in the document itself or in a GridFS file. */
export const blobDocument = z.object({
  _id: z.string(),
  bytes: z.number().int(),
  inline: z.instanceof(Binary).nullable(),
  file: z.instanceof(ObjectId).nullable(),
  /** Time at which it was last stored; null if an assay that did not record it was the last. */
  storedAt: z.date().nullable().default(null),
});
