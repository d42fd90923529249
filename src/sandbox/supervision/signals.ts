import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Signal } from '../run.js';

/** Names of the descriptors in the environment of a run: it writes its words to the first and reads answers from the second. */
export const SIGNAL_VARIABLES = ['ASSAY_SIGNAL_FD', 'ASSAY_GO_FD'] as const;

/** The answer to a word, when what it asks for is visible. */
const GO = 'go\n';
/** Bytes of a line after which it is no word. */
const LONGEST_LINE = 64;
/** Lines after which nothing of a run is listened to any more. */
const MOST_LINES = 100;
/** A flood beyond this would keep the worker reading. */
const MOST_CHARS = 2 ** 20;

/** Settings of a conversation by signals. */
export interface SignalHandlers {
  /** Called as a word is taken, before anything is shown. */
  said: (word: Signal['word']) => void;
  /** Called where the harness could not show what was asked for. */
  failed: (error: unknown) => void;
}

/** Listens to the words of one run, and answers each after what it asks for is visible. */
export class SignalChannel {
  readonly #decoder = new StringDecoder('utf8');
  readonly #said: Signal['word'][] = [];
  /** A line that was no word of its turn, for people. */
  #stray: string | null = null;
  #rest = '';
  #lines = 0;
  #chars = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(
    readonly signals: readonly Signal[],
    readonly from: Duplex,
    readonly to: Duplex,
    readonly handlers: SignalHandlers,
  ) {
    for (const stream of [from, to]) stream.on('error', () => undefined);
    from.on('data', (chunk: Buffer) => this.#read(this.#decoder.write(chunk)));
  }

  /** Words that were said, in their order. */
  get said(): readonly Signal['word'][] {
    return this.#said;
  }

  /** The first line that was no word, or came before its turn; null where there was none. */
  get stray(): string | null {
    return this.#stray;
  }

  /** Hears nothing more. Settles when nothing is being shown any more. */
  async close(): Promise<void> {
    this.from.destroy();
    await this.#working;
    this.to.destroy();
  }

  #read(text: string): void {
    this.#chars += text.length;
    if (this.#chars > MOST_CHARS) this.from.destroy();
    if (this.#lines > MOST_LINES || this.from.destroyed) return;
    const [first = '', ...others] = text.split('\n');
    const pieces = [this.#rest + first, ...others];
    this.#rest = (pieces.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of pieces) this.#hear(line.slice(0, LONGEST_LINE).trim());
  }

  #hear(line: string): void {
    this.#lines += 1;
    const next = this.signals[this.#said.length];
    if (next?.word !== line) {
      this.#stray ??= line;
      return;
    }
    this.#said.push(next.word);
    this.handlers.said(next.word);
    this.#working = this.#working
      .then(() => next.show())
      .then(() => void this.to.write(GO))
      .catch(this.handlers.failed);
  }
}
