import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import { ASSAY_VERSION } from './assay-version.js';

/** Writer of a document: the version of its kind, and the assay that wrote it in that version. */
const writtenSchema = z.object({ version: z.number().int(), assay: z.string() });
export type Written = z.infer<typeof writtenSchema>;

const stored = z.object({
  _id: z.string().optional().catch(undefined),
  written: writtenSchema.optional().catch(undefined),
});

/** Writer of documents that do not name one yet. */
const FIRST: Written = { version: 1, assay: 'of before 0.2' };

export const writtenNow = (version: number): Written => ({ version, assay: ASSAY_VERSION });

/** Reads the writer of a stored document. */
export function writtenBy(document: unknown): Written {
  return stored.safeParse(document).data?.written ?? FIRST;
}

/** Returns the refusal of a document that only a newer assay can read, or null. */
export function tooNew(kind: { collection: string; version: number }, document: unknown): AssayError | null {
  const { version, assay } = writtenBy(document);
  if (version <= kind.version) return null;
  const id = stored.safeParse(document).data?._id ?? '';
  return new AssayError(
    'STORE_SCHEMA',
    `${kind.collection} ${id} has version ${version}, written by assay ${assay}; this assay (${ASSAY_VERSION}) reads up to ${kind.version}`,
    { remedy: `Use assay ${assay} or a later one with this store.` },
  );
}
