/** The first bytes of a stream, up to a number of them; each byte is copied once however small its chunk is. */
export class FirstBytes {
  #kept = Buffer.alloc(0);
  #length = 0;

  /** `most`: bytes kept. */
  constructor(readonly most: number) {}

  /** Keeps what there is room for; returns how many bytes that were. */
  add(chunk: Buffer): number {
    const taken = Math.min(chunk.length, this.most - this.#length);
    if (this.#length + taken > this.#kept.length) this.#grow(this.#length + taken);
    chunk.copy(this.#kept, this.#length, 0, taken);
    this.#length += taken;
    return taken;
  }

  /** At least twice as large each time, so that all growing together copies each byte a few times. */
  #grow(needed: number): void {
    const larger = Buffer.alloc(Math.min(this.most, Math.max(needed, 2 * this.#kept.length)));
    this.#kept.copy(larger);
    this.#kept = larger;
  }

  bytes(): Buffer {
    return this.#kept.subarray(0, this.#length);
  }
}

/** The last bytes of a stream, up to a number of them, in a ring: each byte is copied once. */
export class LastBytes {
  readonly #first: FirstBytes;
  /** Position of the oldest byte once the ring is full. */
  #oldest = 0;

  constructor(readonly most: number) {
    this.#first = new FirstBytes(most);
  }

  add(chunk: Buffer): void {
    if (this.most === 0) return;
    const rest = chunk.subarray(this.#first.add(chunk));
    if (rest.length === 0) return;
    const ring = this.#first.bytes();
    const last = rest.subarray(-this.most);
    const place = (this.#oldest + rest.length - last.length) % this.most;
    const before = last.copy(ring, place);
    last.copy(ring, 0, before);
    this.#oldest = (this.#oldest + rest.length) % this.most;
  }

  bytes(): Buffer {
    const ring = this.#first.bytes();
    return Buffer.concat([ring.subarray(this.#oldest), ring.subarray(0, this.#oldest)]);
  }
}
