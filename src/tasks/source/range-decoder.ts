/** Bytes before the first symbol: a zero, and the first code. */
const LEAD = 5;
const TOP = 2 ** 24;
const MODEL_BITS = 11;
const RATE = 5;

/** Reads symbols of LZMA, each of which takes as little as it is likely. Behind the end it reads zeros. */
export class RangeDecoder {
  private range = 0xffffffff;
  private code: number;
  private at = LEAD;

  private constructor(private readonly bytes: Uint8Array) {
    this.code = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
  }

  /** A decoder at the beginning of these bytes; null where they are no such beginning. */
  static over(bytes: Uint8Array): RangeDecoder | null {
    return bytes.length < LEAD || bytes[0] !== 0 ? null : new RangeDecoder(bytes);
  }

  /** Returns true when all bytes were used and nothing of a symbol is left. */
  isDone(): boolean {
    this.normalise();
    return this.at === this.bytes.length && this.code === 0;
  }

  /** A bit by the probability at a place of a model, which learns from it. */
  bit(model: Uint16Array, index: number): 0 | 1 {
    this.normalise();
    const probability = model[index] ?? 0;
    const bound = Math.floor(this.range / 2 ** MODEL_BITS) * probability;
    if (this.code < bound) {
      this.range = bound;
      model[index] = probability + ((2 ** MODEL_BITS - probability) >> RATE);
      return 0;
    }
    this.range -= bound;
    this.code -= bound;
    model[index] = probability - (probability >> RATE);
    return 1;
  }

  /** A number of `bits` bits, the highest first, each by what came before it. */
  tree(model: Uint16Array, bits: number): number {
    let symbol = 1;
    for (let done = 0; done < bits; done += 1) symbol = (symbol << 1) | this.bit(model, symbol);
    return symbol - (1 << bits);
  }

  /** A number of `bits` bits, the lowest first. */
  reversedTree(model: Uint16Array, base: number, bits: number): number {
    let [symbol, value] = [1, 0];
    for (let done = 0; done < bits; done += 1) {
      const bit = this.bit(model, base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << done;
    }
    return value;
  }

  /** A number of bits that are all equally likely, the highest first. */
  plain(bits: number): number {
    let value = 0;
    for (let done = 0; done < bits; done += 1) {
      this.normalise();
      this.range = Math.floor(this.range / 2);
      const bit = this.code >= this.range ? 1 : 0;
      if (bit === 1) this.code -= this.range;
      value = value * 2 + bit;
    }
    return value;
  }

  private normalise(): void {
    if (this.range >= TOP) return;
    this.range *= 256;
    this.code = this.code * 256 + (this.bytes[this.at] ?? 0);
    this.at += 1;
  }
}
