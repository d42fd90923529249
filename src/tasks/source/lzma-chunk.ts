import { RangeDecoder } from './range-decoder.js';

const STATES = 12;
/** Number of states after which the last thing was a literal. */
const LITERAL_STATES = 7;
const [LENGTH_LOW, LENGTH_MIDDLE, LENGTH_HIGH] = [8, 8, 256];
const SHORTEST = 2;
const POSITION_STATES = 16;
/** Distances are told by a slot; from this one on a part of their bits is not modelled. */
const MODELLED_SLOTS = 14;
const ALIGN_BITS = 4;
const EVEN = 1024;

const even = (count: number): Uint16Array => new Uint16Array(count).fill(EVEN);

/** Probabilities of the lengths of matches. */
class Lengths {
  private readonly choice = even(2);
  private readonly low = Array.from({ length: POSITION_STATES }, () => even(LENGTH_LOW));
  private readonly middle = Array.from({ length: POSITION_STATES }, () => even(LENGTH_MIDDLE));
  private readonly high = even(LENGTH_HIGH);

  read(range: RangeDecoder, position: number): number {
    if (range.bit(this.choice, 0) === 0) return SHORTEST + range.tree(this.low[position] ?? this.high, 3);
    if (range.bit(this.choice, 1) === 0)
      return SHORTEST + LENGTH_LOW + range.tree(this.middle[position] ?? this.high, 3);
    return SHORTEST + LENGTH_LOW + LENGTH_MIDDLE + range.tree(this.high, 8);
  }
}

/** Probabilities that a chunk may go on with from the one before. */
class Model {
  readonly isMatch = even(STATES * POSITION_STATES);
  readonly isRepeat = even(STATES);
  readonly isRepeat0 = even(STATES);
  readonly isRepeat1 = even(STATES);
  readonly isRepeat2 = even(STATES);
  readonly isLongRepeat0 = even(STATES * POSITION_STATES);
  readonly slots = Array.from({ length: 4 }, () => even(64));
  readonly special = even(128);
  readonly align = even(1 << ALIGN_BITS);
  readonly lengths = new Lengths();
  readonly repeatLengths = new Lengths();
  readonly literals: Uint16Array;
  state = 0;
  /** The last four distances, less 1, the latest first. */
  distances: [number, number, number, number] = [0, 0, 0, 0];

  constructor(literalBits: number) {
    this.literals = even(0x300 << literalBits);
  }
}

/** Decodes the chunks of an LZMA2 stream, one after the other, into one buffer. */
export class ChunkDecoder {
  size = 0;
  private readonly buffer: Uint8Array;
  /** What is before it is not referred to. */
  private begin = 0;
  private literalContext = 0;
  private literalPosition = 0;
  private positionMask = 0;
  private model: Model | null = null;

  constructor(most: number) {
    this.buffer = new Uint8Array(most);
  }

  content(): Uint8Array {
    return this.buffer.slice(0, this.size);
  }

  /** Takes over bytes as they are. */
  copy(bytes: Uint8Array, { resets }: { resets: boolean }): void {
    if (resets) this.forget();
    this.buffer.set(bytes, this.size);
    this.size += bytes.length;
  }

  forget(): void {
    this.begin = this.size;
  }

  /** Sets the byte of properties; false where it is none. */
  setProperties(byte: number): boolean {
    const rest = Math.floor(byte / 9);
    [this.literalContext, this.literalPosition] = [byte % 9, rest % 5];
    const position = Math.floor(rest / 5);
    if (position > 4 || this.literalContext + this.literalPosition > 4) return false;
    this.positionMask = (1 << position) - 1;
    return true;
  }

  resetState(): void {
    this.model = new Model(this.literalContext + this.literalPosition);
  }

  /** Decodes a chunk that has `count` bytes; false where it does not. */
  decode(packed: Uint8Array, count: number): boolean {
    const { model } = this;
    const range = RangeDecoder.over(packed);
    if (model === null || range === null) return false;
    const end = this.size + count;
    while (this.size < end) {
      const position = (this.size - this.begin) & this.positionMask;
      if (range.bit(model.isMatch, model.state * POSITION_STATES + position) === 0) {
        this.literal(range, model);
        continue;
      }
      const length = this.matchLength(range, model, position);
      const distance = model.distances[0] + 1;
      if (distance > this.size - this.begin || this.size + length > end) return false;
      for (let at = 0; at < length; at += 1, this.size += 1)
        this.buffer[this.size] = this.buffer[this.size - distance] ?? 0;
    }
    return range.isDone();
  }

  private literal(range: RangeDecoder, model: Model): void {
    const before = this.size > this.begin ? (this.buffer[this.size - 1] ?? 0) : 0;
    const position = (this.size - this.begin) & ((1 << this.literalPosition) - 1);
    const row = (position << this.literalContext) + (before >> (8 - this.literalContext));
    const base = 0x300 * row;
    let symbol = 1;
    if (model.state >= LITERAL_STATES) {
      let matched = this.buffer[this.size - model.distances[0] - 1] ?? 0;
      while (symbol < 0x100) {
        const expected = (matched >> 7) & 1;
        matched <<= 1;
        const bit = range.bit(model.literals, base + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | range.bit(model.literals, base + symbol);
    this.buffer[this.size] = symbol & 0xff;
    this.size += 1;
    model.state = model.state < 4 ? 0 : model.state < 10 ? model.state - 3 : model.state - 6;
  }

  /** Reads the length of a match, and brings its distance to the front. */
  private matchLength(range: RangeDecoder, model: Model, position: number): number {
    const { state, distances } = model;
    const afterLiteral = state < LITERAL_STATES;
    if (range.bit(model.isRepeat, state) === 0) {
      model.state = afterLiteral ? 7 : 10;
      const length = model.lengths.read(range, position);
      model.distances = [this.distance(range, model, length), distances[0], distances[1], distances[2]];
      return length;
    }
    if (range.bit(model.isRepeat0, state) === 0) {
      if (range.bit(model.isLongRepeat0, state * POSITION_STATES + position) === 0) {
        model.state = afterLiteral ? 9 : 11;
        return 1;
      }
    } else if (range.bit(model.isRepeat1, state) === 0) {
      model.distances = [distances[1], distances[0], distances[2], distances[3]];
    } else if (range.bit(model.isRepeat2, state) === 0) {
      model.distances = [distances[2], distances[0], distances[1], distances[3]];
    } else {
      model.distances = [distances[3], distances[0], distances[1], distances[2]];
    }
    model.state = afterLiteral ? 8 : 11;
    return model.repeatLengths.read(range, position);
  }

  /** Reads a distance, less 1. */
  private distance(range: RangeDecoder, model: Model, length: number): number {
    const slot = range.tree(model.slots[Math.min(length - SHORTEST, 3)] ?? model.align, 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < MODELLED_SLOTS) return base + range.reversedTree(model.special, base - slot, bits);
    const high = range.plain(bits - ALIGN_BITS) * 2 ** ALIGN_BITS;
    return base + high + range.reversedTree(model.align, 0, ALIGN_BITS);
  }
}
