import { join } from 'node:path';
import { z } from 'zod';

/** Version of the archive's layout. */
export const ARCHIVE_SCHEMA = 'assay.archive/1';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256');

/** archive.json: what an archive holds, by which it is checked. */
export const manifestSchema = z.strictObject({
  schema: z.literal(ARCHIVE_SCHEMA),
  /** Version of the assay that wrote it. */
  assay: z.string(),
  exportedAt: z.iso.datetime(),
  campaign: z.string(),
  owner: z.string().min(1),
  task: sha256,
  state: z.string(),
  /** Lines of each file of documents, and the digest of the file. */
  documents: z.record(z.string(), z.strictObject({ count: z.number().int().nonnegative(), sha256 })),
  /** Number of trees, and of files under `blobs/`, each named by its digest. */
  trees: z.strictObject({ count: z.number().int().nonnegative(), sha256 }),
  blobs: z.number().int().nonnegative(),
});
export type ArchiveManifest = z.infer<typeof manifestSchema>;

/** Paths of an archive's parts. */
export const archivePaths = (folder: string) => ({
  manifest: join(folder, 'archive.json'),
  documents: (kind: string) => join(folder, 'documents', `${kind}.ndjson`),
  trees: join(folder, 'trees.ndjson'),
  blobs: join(folder, 'blobs'),
  blob: (digest: string) => join(folder, 'blobs', digest.slice(0, 2), digest),
  snapshot: (label: string) => join(folder, 'snapshots', label),
  table: join(folder, 'results.tsv'),
  columns: join(folder, 'columns.yaml'),
  repository: join(folder, 'repository'),
});
