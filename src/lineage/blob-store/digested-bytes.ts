import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';

/** Bytes that are in memory at a time. */
const CHUNK = 1024 * 1024;

/** Number and digest of bytes that went by. */
export interface Passed {
  bytes: number;
  sha256: string;
}

/** Counts and digests bytes on their way from one place to another. */
export class DigestedBytes {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  async *through(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.#hash.update(chunk);
      this.#bytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** To be called once, at the end. */
  passed(): Passed {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** Reads a file piece by piece. */
export async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const stream: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark: CHUNK });
  yield* stream;
}

/** Digests bytes and keeps none. */
export async function digestOf(source: AsyncIterable<Uint8Array>): Promise<Passed> {
  const digested = new DigestedBytes();
  const chunks = digested.through(source);
  while ((await chunks.next()).done !== true);
  return digested.passed();
}

/**
 * Writes bytes into a new file, onto the disk, and digests them on their way; leaves no file where it rejects.
 * @param check looks at what was written, and throws to refuse it
 */
export async function writeDigested(
  source: AsyncIterable<Uint8Array>,
  path: string,
  check: (written: Passed) => void,
): Promise<void> {
  const target = await open(path, 'wx', 0o644);
  try {
    const digested = new DigestedBytes();
    for await (const chunk of digested.through(source)) await target.writeFile(chunk);
    check(digested.passed());
    await target.sync();
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await target.close();
  }
}
