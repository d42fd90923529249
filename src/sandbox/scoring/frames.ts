import { finished, type Readable, type Writable } from 'node:stream';
import { z } from 'zod';

const LENGTH_BYTES = 4;
const LONGEST_HEADER = 64 * 1024;
/** `{}`: nothing shorter is a JSON object. */
const SHORTEST_HEADER = 2;

const headerSchema = z.object({
  type: z.string().default(''),
  bytes: z.number().int().nonnegative().default(0),
});

/**
 * Reads frames from untrusted bytes: 4 bytes of length, little endian, a JSON header of that many bytes, then
 * `header.bytes` bytes of payload. However the bytes are cut into chunks, each is copied at most once.
 */
export class FrameReader {
  /** True once the bytes were no frame; nothing is read from there on. */
  broken = false;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  /** Null while the length is read. */
  #header: Buffer | null = null;
  /** Bytes of the length or of the header that are there. */
  #have = 0;
  #type = '';
  #payload = 0;
  readonly #onFrame: (type: string) => void;

  /** `onFrame` is called at the end of each complete frame with the type that its header names, or ''. */
  constructor(onFrame: (type: string) => void) {
    this.#onFrame = onFrame;
  }

  /** True while a frame has begun and is not whole. */
  get isWithinFrame(): boolean {
    return !this.broken && (this.#have > 0 || this.#header !== null || this.#payload > 0);
  }

  /** Reads a chunk of the stream, up to its end or to where the stream is broken. */
  read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length && !this.broken;) {
      const taken = this.take(chunk.subarray(at));
      // a reader that stands still would hang its process
      if (taken === 0) this.broken = true;
      at += taken;
    }
  }

  /** Reads one part of a frame from the start of `bytes`, which are not empty; returns how many it took, at least one. */
  take(bytes: Buffer): number {
    if (this.#payload > 0) return this.#skip(bytes);
    const into = this.#header ?? this.#length;
    const taken = bytes.copy(into, this.#have);
    this.#have += taken;
    if (this.#have < into.length) return taken;
    this.#have = 0;
    if (this.#header === null) this.#begin(this.#length.readUInt32LE(0));
    else this.#understand(this.#header);
    return taken;
  }

  #begin(length: number): void {
    if (length < SHORTEST_HEADER || length > LONGEST_HEADER) this.broken = true;
    else this.#header = Buffer.alloc(length);
  }

  #understand(bytes: Buffer): void {
    this.#header = null;
    const header = headerOf(bytes.toString('utf8'));
    if (header === null) {
      this.broken = true;
      return;
    }
    this.#type = header.type;
    this.#payload = header.bytes;
    if (this.#payload === 0) this.#onFrame(this.#type);
  }

  #skip(bytes: Buffer): number {
    const skipped = Math.min(this.#payload, bytes.length);
    this.#payload -= skipped;
    if (this.#payload === 0) this.#onFrame(this.#type);
    return skipped;
  }
}

function headerOf(text: string): z.infer<typeof headerSchema> | null {
  try {
    return headerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** Bytes that may wait for a reader before its writer is held up: several reads of a pipe, so that both keep at work. */
const MOST_WAITING = 1024 * 1024;

/**
 * Passes the scoring protocol on unchanged, with back-pressure and without copying, and notes its frames. What is no
 * frame is passed on as well; it is the evaluator's to refuse, and nothing is counted from there on, of which `onBroken`
 * tells. Either end may leave in the middle: the other one is then closed, `onEnd` is called only where `from` has ended
 * by itself, and told whether that was within a frame.
 */
export function relay(
  from: Readable,
  to: Writable,
  {
    onFrame,
    onBroken = () => undefined,
    onEnd,
  }: {
    onFrame: (type: string) => void;
    onBroken?: () => void;
    onEnd: (isWithinFrame: boolean) => void;
  },
): void {
  const reader = new FrameReader(onFrame);
  from.on('data', (chunk: Buffer) => {
    reader.read(chunk);
    if (reader.broken) onBroken();
    to.write(chunk);
    if (to.writableLength <= MOST_WAITING) return;
    from.pause();
    to.once('drain', () => from.resume());
  });
  from.on('end', () => {
    onEnd(reader.isWithinFrame);
    to.end();
  });
  finished(from, { writable: false }, (error) => {
    if (error) to.destroy();
  });
  finished(to, { readable: false }, (error) => {
    if (error) from.destroy();
  });
  from.resume();
}
