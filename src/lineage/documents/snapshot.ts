import { z } from 'zod';

/** A SHA-256 in hexadecimal. */
export const digest = z.string().regex(/^[0-9a-f]{64}$/);
export const storedFile = z.object({
  path: z.string(),
  sha256: digest,
  bytes: z.number().int().nonnegative(),
});
/** A file of a stored tree; its bytes are the blob of its digest. */
export type StoredFile = z.infer<typeof storedFile>;

/** A content-addressed, immutable tree. */
export const snapshotDocument = z.object({
  _id: digest,
  files: z.array(storedFile),
  /** Time at which it was last stored; null if an assay that did not record it was the last. */
  storedAt: z.date().nullable().default(null),
});
