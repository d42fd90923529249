import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../domain/digest.js';
import { AssayError, messageOf } from '../domain/errors.js';
import { explain } from '../domain/text/explain.js';
import { readRegular } from './folder.js';

export const MANIFEST = 'manifest.json';
const LARGEST_MANIFEST = 64 * 1024 * 1024;

/** The schema of the manifest of prepared data. */
export const DATA = 'assay.data/1';

/** Below the folder of the data, and by no name that leads out of it. */
const path = z
  .string()
  .min(1)
  .refine(
    (name) => !name.startsWith('/') && !name.includes('\0') && !name.split('/').includes('..'),
    'a path within the folder of the data',
  )
  .describe('path below `ASSAY_OUTPUT`, with forward slashes, such as `train/part-1.bin`');

/** manifest.json, which a preparation writes last. Other keys are ignored. */
export const manifestSchema = z.object({
  schema: z.literal(DATA).describe('the version of this format'),
  files: z
    .array(
      z.object({
        path,
        bytes: z.number().int().nonnegative().describe('size'),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits')
          .describe('SHA-256 of the content in hexadecimal'),
      }),
    )
    .describe('every file that the preparation made'),
});
type DataManifest = z.infer<typeof manifestSchema>;

/**
 * Reads the manifest that a task's preparation wrote.
 * @throws Error with what is wrong with it, in words that name the field
 */
export function parseManifest(text: string): DataManifest {
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`it is not ${DATA}: ${explain(parsed.error)}`);
}

/** Prepared data, as it lies in a folder. */
export interface PreparedData {
  folder: string;
  task: string;
  /** True when the preparation has just ended, so that nothing else can have spoilt what it left. */
  fresh: boolean;
}

/**
 * Compares prepared data with its manifest; returns the digest of the manifest.
 * @throws AssayError DATA_INVALID when the preparation itself left something else, DATA_MISMATCH when what was good
 * once is not any more, HOST_FAULT when it cannot be read
 */
export async function checkManifest({ folder, task, fresh }: PreparedData): Promise<string> {
  const code = fresh ? 'DATA_INVALID' : 'DATA_MISMATCH';
  const place = join(folder, MANIFEST);
  const stat = await lstat(place).catch(() => null);
  if (fresh && stat === null)
    throw new AssayError(code, `the preparation of "${task}" ended without a ${MANIFEST} in ASSAY_OUTPUT`);
  if (stat?.isFile() === false)
    throw new AssayError(code, `${MANIFEST} of "${task}" is no regular file (links are not followed)`);
  if (stat !== null && stat.size > LARGEST_MANIFEST)
    throw new AssayError(code, `${MANIFEST} of "${task}" has ${stat.size} bytes, over ${LARGEST_MANIFEST}`);
  const limits = { maxFileBytes: LARGEST_MANIFEST, code: 'HOST_FAULT' } as const;
  const bytes = await readRegular(place, MANIFEST, limits);
  for (const file of filesIn(bytes.toString('utf8'), task, code)) {
    const fault = await faultOf(folder, file);
    if (fault !== null)
      throw new AssayError(code, `${MANIFEST} of "${task}" does not fit its data: ${file.path} ${fault}`);
  }
  return sha256(bytes);
}

function filesIn(text: string, task: string, code: 'DATA_INVALID' | 'DATA_MISMATCH'): DataManifest['files'] {
  try {
    return parseManifest(text).files;
  } catch (error) {
    throw new AssayError(code, `${MANIFEST} of "${task}" is malformed: ${messageOf(error).slice(0, 1000)}`);
  }
}

/**
 * Says in words how a file differs from its entry; null when it does not. A pipe or a device in its place is not
 * waited for, and no more is read than the file has to hold.
 */
async function faultOf(
  folder: string,
  { path: name, bytes, sha256: digest }: DataManifest['files'][number],
): Promise<string | null> {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(join(folder, name), flags).catch(() => null);
  if (file === null) return 'is not there';
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return 'is not a file';
    if (stat.size !== bytes) return `has ${stat.size} bytes, and not ${bytes}`;
    const hash = createHash('sha256');
    for await (const chunk of file.createReadStream({ autoClose: false, end: bytes }))
      hash.update(z.instanceof(Uint8Array).parse(chunk));
    return hash.digest('hex') === digest ? null : 'has another SHA-256';
  } finally {
    await file.close();
  }
}
