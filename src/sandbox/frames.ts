import { Transform, type TransformCallback } from 'node:stream';
import { z } from 'zod';

const LONGEST_HEADER = 64 * 1024;
const headerSchema = z.looseObject({
  type: z.string().optional(),
  bytes: z.number().int().nonnegative().default(0),
});

/**
 * Passes the scoring protocol through unchanged, with back-pressure, and notes its frames: 4 bytes of length, little
 * endian, a JSON header, then `header.bytes` bytes. What is no frame is passed on as well; it is the evaluator's to
 * refuse, and nothing is counted from there on.
 */
export class FrameMeter extends Transform {
  /** Complete frames so far. */
  frames = 0;
  #broken = false;
  #begun = Buffer.alloc(0);
  #payload = 0;
  readonly #onFrame: (type: string) => void;
  readonly #onEnd: () => void;

  constructor(onFrame: (type: string) => void, onEnd: () => void) {
    super();
    this.#onFrame = onFrame;
    this.#onEnd = onEnd;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, next: TransformCallback): void {
    if (!this.#broken) this.#measure(chunk);
    next(null, chunk);
  }

  override _flush(next: TransformCallback): void {
    this.#onEnd();
    next();
  }

  #measure(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0 && !this.#broken;) {
      if (this.#payload > 0) {
        const skipped = Math.min(this.#payload, rest.length);
        this.#payload -= skipped;
        rest = rest.subarray(skipped);
        if (this.#payload === 0) this.#complete();
      } else {
        rest = this.#header(rest);
      }
    }
  }

  /** Takes what belongs to the length and the header; returns what follows them. */
  #header(rest: Buffer): Buffer {
    const known = this.#begun.length < 4 ? 4 : 4 + this.#begun.readUInt32LE(0);
    const missing = known - this.#begun.length;
    this.#begun = Buffer.concat([this.#begun, rest.subarray(0, missing)]);
    if (this.#begun.length === 4 && this.#begun.readUInt32LE(0) > LONGEST_HEADER) this.#broken = true;
    else if (this.#begun.length > 4 && this.#begun.length === 4 + this.#begun.readUInt32LE(0)) this.#read();
    return rest.subarray(missing);
  }

  #type = '';

  #read(): void {
    const header = headerOf(this.#begun.subarray(4).toString('utf8'));
    this.#begun = Buffer.alloc(0);
    if (header === null) {
      this.#broken = true;
      return;
    }
    this.#type = header.type ?? '';
    this.#payload = header.bytes;
    if (this.#payload === 0) this.#complete();
  }

  #complete(): void {
    this.frames += 1;
    this.#onFrame(this.#type);
  }
}

function headerOf(text: string): z.infer<typeof headerSchema> | null {
  try {
    return headerSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
