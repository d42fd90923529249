import { pipeline } from 'node:stream/promises';
import { GridFSBucket, MongoGridFSChunkError, MongoRuntimeError, type Db, type ObjectId } from 'mongodb';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { DigestedBytes, type Passed } from './digested-bytes.js';

/** Returns true when chunks of a GridFS file, or all of it, are not there. */
const isIncomplete = (error: unknown): error is MongoRuntimeError =>
  error instanceof MongoGridFSChunkError ||
  (error instanceof MongoRuntimeError && 'code' in error && error.code === 'ENOENT');

const chunk = z.instanceof(Uint8Array);

/** Content that is too large for a document, in pieces of the store's own. */
export class LargeFiles {
  readonly #bucket;

  constructor(database: Db) {
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
   * Reads a file piece by piece.
   * @throws AssayError STORE_DOCUMENT when a part of it is missing
   */
  async *read(digest: string, file: ObjectId): AsyncGenerator<Uint8Array> {
    try {
      for await (const each of this.#bucket.openDownloadStream(file)) yield chunk.parse(each);
    } catch (error) {
      if (!isIncomplete(error)) throw error;
      throw new AssayError('STORE_DOCUMENT', `a part of blob ${digest} is missing: ${error.message}`, {
        cause: error,
        remedy: '`assay audit` lists what is damaged; restore the store from a backup.',
      });
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
