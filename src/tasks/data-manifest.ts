import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { AssayError, messageOf } from '../domain/errors.js';
import { explain } from '../domain/text/explain.js';
import { readRegular } from './folder.js';

export const MANIFEST = 'manifest.json';
const LARGEST_MANIFEST = 64 * 1024 * 1024;

/** Below the folder of the data, and by no name that leads out of it. */
const path = z
  .string()
  .min(1)
  .refine(
    (name) => !name.startsWith('/') && !name.includes('\0') && !name.split('/').includes('..'),
    'a path within the folder of the data',
  );

const manifestSchema = z.object({
  schema: z.literal('assay.data/1'),
  files: z.array(z.object({ path, bytes: z.number().int().nonnegative(), sha256: z.string() })),
});
type DataManifest = z.infer<typeof manifestSchema>;

/**
 * Reads the manifest that a task's preparation wrote.
 * @throws Error with what is wrong with it, in words
 */
export function parseManifest(text: string): DataManifest {
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(explain(parsed.error));
}

/**
 * Compares prepared data with its manifest; returns the digest of the manifest.
 * @throws AssayError PREPARE_FAILED without a manifest that can be read, DATA_MISMATCH when a file is not what it says
 */
export async function checkManifest(folder: string, task: string): Promise<string> {
  const limits = { maxFileBytes: LARGEST_MANIFEST, code: 'PREPARE_FAILED' } as const;
  const bytes = await readRegular(join(folder, MANIFEST), MANIFEST, limits).catch((error: unknown) => {
    throw new AssayError(
      'PREPARE_FAILED',
      `the preparation of "${task}" wrote no manifest: ${messageOf(error)}`,
    );
  });
  for (const file of filesIn(bytes.toString('utf8'), task))
    if (!(await isAsSaid(folder, file)))
      throw new AssayError(
        'DATA_MISMATCH',
        `${file.path} of the prepared data of "${task}" differs from its manifest`,
      );
  return sha256(bytes);
}

function filesIn(text: string, task: string): DataManifest['files'] {
  try {
    return parseManifest(text).files;
  } catch (error) {
    throw new AssayError('PREPARE_FAILED', `the manifest of "${task}" is malformed: ${messageOf(error)}`);
  }
}

/** A pipe or a device in a file's place is not waited for, and no more is read than the file has to hold. */
async function isAsSaid(
  folder: string,
  { path: name, bytes, sha256: digest }: DataManifest['files'][number],
): Promise<boolean> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(join(folder, name), flags).catch(() => null);
  if (file === null) return false;
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size !== bytes) return false;
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false, end: bytes }))
      hash.update(z.instanceof(Uint8Array).parse(chunk));
    return hash.digest('hex') === digest;
  } finally {
    await file.close();
  }
}
