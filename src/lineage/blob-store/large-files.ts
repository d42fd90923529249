import { pipeline } from 'node:stream/promises';
import { Binary, GridFSBucket, MongoRuntimeError, type Db, type ObjectId } from 'mongodb';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { DigestedBytes, type Passed } from './digested-bytes.js';

const fileRow = z.object({ length: z.number(), chunkSize: z.number().positive() });
const chunkRow = z.object({ data: z.instanceof(Binary) });

/** Pieces of a file that are asked for at a time. */
const AHEAD = 4;

/** Content that is too large for a document, in pieces of the store's own. */
export class LargeFiles {
  readonly #bucket;
  readonly #files;
  readonly #chunks;

  constructor(database: Db) {
    this.#files = database.collection('large.files');
    this.#chunks = database.collection('large.chunks');
    this.#bucket = new GridFSBucket(database, { bucketName: 'large' });
  }

  /**
   * Stores bytes as they come, and says what they were. A crash leaves chunks under an id that nothing names, never a
   * file with missing bytes.
   */
  async upload(
    name: string,
    source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  ): Promise<Passed & { file: ObjectId }> {
    const stream = this.#bucket.openUploadStream(name);
    const digested = new DigestedBytes();
    try {
      await pipeline(digested.through(source), stream);
    } catch (error) {
      await stream.abort().catch(() => undefined);
      throw error;
    }
    return { ...digested.passed(), file: stream.id };
  }

  /**
   * Reads a file piece by piece. Each is asked for by its number: the fallback store does not survive a query for all
   * pieces of 256 MiB.
   * @throws AssayError STORE_DOCUMENT when a part of it is missing
   */
  async *read(digest: string, file: ObjectId): AsyncGenerator<Uint8Array> {
    const found = fileRow.safeParse(await this.#files.findOne({ _id: file }));
    if (!found.success) throw missing(digest, 'its file is not there');
    const { length, chunkSize } = found.data;
    const count = Math.ceil(length / chunkSize);
    for (let first = 0; first < count; first += AHEAD) {
      const numbers = Array.from({ length: Math.min(AHEAD, count - first) }, (_, i) => first + i);
      const pieces = await Promise.all(numbers.map((n) => this.#chunks.findOne({ files_id: file, n })));
      for (const [at, piece] of pieces.entries()) {
        const parsed = chunkRow.safeParse(piece);
        if (!parsed.success) throw missing(digest, `piece ${first + at} of ${count} is not there`);
        yield parsed.data.data.value();
      }
    }
  }

  delete(file: ObjectId): Promise<void> {
    return deleteLarge(this.#bucket, file);
  }
}

/** Deletes a large file with its chunks; one whose entry is gone already is no error. */
export async function deleteLarge(bucket: GridFSBucket, file: ObjectId): Promise<void> {
  try {
    await bucket.delete(file);
  } catch (error) {
    // the driver has no class and no code for it, and deletes the chunks first
    if (!(error instanceof MongoRuntimeError) || !error.message.startsWith('File not found')) throw error;
  }
}

const missing = (digest: string, what: string): AssayError =>
  new AssayError('STORE_DOCUMENT', `a part of blob ${digest} is missing: ${what}`, {
    remedy: '`assay audit` lists what is damaged; restore the store from a backup.',
  });
