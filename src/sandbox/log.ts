const LINE = 500;

/**
 * What a program printed, in bounded memory: the first half of the allowance and the last. Text that looks like
 * terminal control is made visible, since it will be shown to people.
 */
export class BoundedLog {
  #head: Buffer[] = [];
  #headBytes = 0;
  #tail: Buffer[] = [];
  #tailBytes = 0;
  #bytes = 0;
  #lineEnds = '';

  /** `keep`: bytes held at most, give or take one chunk of a pipe. */
  constructor(readonly keep: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  /** The last complete or begun line that is not blank, cut to 500 characters. */
  get lastLine(): string {
    const lines = harmless(this.#lineEnds).split('\n');
    return (lines.findLast((line) => line.trim() !== '') ?? '').slice(-LINE);
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const room = Math.ceil(this.keep / 2) - this.#headBytes;
    const first = chunk.subarray(0, Math.max(0, room));
    if (first.length > 0) {
      // a copy, so that a small rest does not keep the pipe's whole buffer alive
      this.#head.push(Buffer.from(first));
      this.#headBytes += first.length;
    }
    const rest = chunk.subarray(first.length);
    if (rest.length > 0) this.#addTail(rest);
    this.#lineEnds = (this.#lineEnds + chunk.subarray(-2 * LINE).toString('utf8')).slice(-2 * LINE);
  }

  #addTail(rest: Buffer): void {
    const room = Math.floor(this.keep / 2);
    this.#tail.push(Buffer.from(rest.subarray(-room || rest.length)));
    this.#tailBytes += this.#tail.at(-1)?.length ?? 0;
    if (this.#tailBytes <= 2 * room && this.#tail.length < 1024) return;
    const joined = Buffer.concat(this.#tail);
    const kept = Buffer.from(room === 0 ? joined.subarray(joined.length) : joined.subarray(-room));
    this.#tail = [kept];
    this.#tailBytes = kept.length;
  }

  /** Head, a line that says how much is missing, tail. At most `keep` bytes and that line. */
  text(): string {
    const room = Math.floor(this.keep / 2);
    const joined = Buffer.concat(this.#tail);
    const end = room === 0 ? Buffer.alloc(0) : joined.subarray(-room);
    const cut = this.#bytes - this.#headBytes - end.length;
    if (cut <= 0)
      return fit(harmless(Buffer.concat([...this.#head, end]).toString('utf8')), this.keep, 'start');
    const head = fit(harmless(Buffer.concat(this.#head).toString('utf8')), Math.ceil(this.keep / 2), 'start');
    const tail = fit(harmless(end.toString('utf8')), room, 'end');
    return `${head}\n[… ${cut} bytes cut …]\n${tail}`;
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
