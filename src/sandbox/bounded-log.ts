import { FirstBytes, LastBytes } from './process/kept-bytes.js';

const LINE = 500;

/**
 * The output of a program, in bounded memory: the first half of the allowance and the last. Text that looks like
 * terminal control is made visible, since it will be shown to people.
 */
export class BoundedLog {
  readonly #head: FirstBytes;
  readonly #tail: LastBytes;
  readonly #lineEnds = new LastBytes(2 * LINE);
  #bytes = 0;

  /** `keep`: bytes held at most. */
  constructor(readonly keep: number) {
    this.#head = new FirstBytes(Math.ceil(keep / 2));
    this.#tail = new LastBytes(Math.floor(keep / 2));
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The last complete or begun line that is not blank, cut to 500 characters. */
  get lastLine(): string {
    const lines = harmless(this.#lineEnds.bytes().toString('utf8')).split('\n');
    return (lines.findLast((line) => line.trim() !== '') ?? '').slice(-LINE);
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#tail.add(chunk.subarray(this.#head.add(chunk)));
    this.#lineEnds.add(chunk);
  }

  /** Head, a line that says how much is missing, tail. At most `keep` bytes and that line. */
  text(): string {
    const [head, tail] = [this.#head.bytes(), this.#tail.bytes()];
    const cut = this.#bytes - head.length - tail.length;
    if (cut <= 0) return fit(harmless(Buffer.concat([head, tail]).toString('utf8')), this.keep, 'start');
    const first = fit(harmless(head.toString('utf8')), Math.ceil(this.keep / 2), 'start');
    const last = fit(harmless(tail.toString('utf8')), Math.floor(this.keep / 2), 'end');
    return `${first}\n[… ${cut} bytes cut …]\n${last}`;
  }
}

/** Keeps the start or the end of a text, whole characters only, in at most `bytes` bytes of UTF-8. */
function fit(text: string, bytes: number, side: 'start' | 'end'): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  const part = side === 'start' ? whole.subarray(0, bytes) : whole.subarray(whole.length - bytes);
  return part.toString('utf8').replace(side === 'start' ? /\uFFFD$/u : /^\uFFFD+/u, '');
}

/**
 * Text that cannot steer a terminal or reorder what a reader sees: control characters become their pictures,
 * marks of writing direction become `�`, a carriage return begins a new line.
 */
export function harmless(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\p{Cc}/gu, (character) => {
      if (character === '\n' || character === '\t') return character;
      const code = character.codePointAt(0) ?? 0;
      return code < 0x20 ? String.fromCodePoint(0x2400 + code) : code === 0x7f ? '␡' : '\uFFFD';
    })
    .replace(/[\u200E\u200F\u202A-\u202E\u2066-\u2069\u2028\u2029]/g, '\uFFFD');
}
