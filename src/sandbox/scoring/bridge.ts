import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../../domain/errors.js';
import type { RunRequest, RunResult, Served } from '../run.js';
import { relay } from './frames.js';

/** A server of the recipe; `startupS`: seconds until it has to have answered its first frame. */
export type ServerRequest = RunRequest & { startupS: number };

/** Time that a server has to exit after it was dismissed, and a pipe to end after its process. */
const PARTING_MS = 1000;

/** Waits for a while; null where that was not enough. */
export async function withinParting<T>(work: Promise<T>): Promise<T | null> {
  const timer = new AbortController();
  const late = sleep(PARTING_MS, null, { signal: timer.signal }).catch(() => null);
  return Promise.race([work, late]).finally(() => timer.abort());
}

/** The connection of evaluator and server, and what can be said of the server from it. */
export class Bridge {
  /** Frames that the server has not answered yet; it owes one for each. */
  #owed = 0;
  #owedSince: number | null = null;
  owedMs = 0;
  #greeted = false;
  greetedMs: number | null = null;
  readonly #began = performance.now();
  /** The evaluator said bye or closed its end: the server may leave. */
  #dismissed = false;
  /** It answered everything, bye as well. */
  #parted = false;
  #leftEarly = false;
  #startedLate = false;
  #garbled = false;
  #cutOff = false;
  #startup: NodeJS.Timeout | null = null;
  #dismiss: () => void = () => undefined;
  /** Settles when nothing more is asked of the server. */
  readonly dismissed = new Promise<void>((resolve) => (this.#dismiss = resolve));

  static over(server: Served, pipes: readonly Duplex[], request: ServerRequest | null): Bridge {
    const [to, from] = pipes;
    if (to === undefined || from === undefined || request === null)
      throw new AssayError('INTERNAL', 'an evaluator was started without pipes to its server');
    return new Bridge(server, to, from, request.startupS);
  }

  private constructor(
    readonly server: Served,
    toServer: Duplex,
    fromServer: Duplex,
    readonly startupS: number,
  ) {
    relay(toServer, server.stdin, {
      onFrame: (type) => this.#asked(type),
      onEnd: () => {
        this.#dismissed = true;
        this.#dismiss();
      },
    });
    // what it means that a side left in the middle is read from the fields above
    relay(server.stdout, fromServer, {
      onFrame: () => this.#answered(),
      // what comes after its last answer is the evaluator's to refuse
      onBroken: () => (this.#garbled ||= !this.#parted),
      onEnd: (isWithinFrame) => {
        this.#leftEarly ||= !this.#dismissed;
        this.#cutOff ||= isWithinFrame;
      },
    });
  }

  get owes(): boolean {
    return this.#owed > 0;
  }

  get leftEarly(): boolean {
    return this.#leftEarly;
  }

  get parted(): boolean {
    return this.#parted;
  }

  get startedLate(): boolean {
    return this.#startedLate;
  }

  /** True when it sent something that is no frame. */
  get garbled(): boolean {
    return this.#garbled;
  }

  /** True when it left within a frame. */
  get cutOff(): boolean {
    return this.#cutOff;
  }

  #asked(type: string): void {
    this.#owed += 1;
    if (type === 'bye') this.#dismissed = true;
    else if (this.#greeted) this.#owedSince ??= performance.now();
    if (this.#greeted || this.#startup !== null) return;
    this.#startup = setTimeout(() => {
      this.#startedLate = true;
      void this.server.kill().catch(() => undefined);
    }, this.startupS * 1000);
  }

  #answered(): void {
    this.#owed = Math.max(0, this.#owed - 1);
    if (this.#owed === 0) this.#settle();
    this.#greeted = true;
    this.greetedMs ??= performance.now() - this.#began;
    this.#stopClock();
    if (!this.#dismissed || this.#owed > 0) return;
    this.#parted = true;
    this.#dismiss();
  }

  /** Waits a moment for a dismissed server to leave by itself, then ends it. */
  async part(): Promise<RunResult> {
    this.close();
    const left = await withinParting(this.server.done);
    if (left !== null) return left;
    await this.server.kill();
    return this.server.done;
  }

  /** Counts the time for which answers were owed until now. */
  #settle(): void {
    if (this.#owedSince !== null) this.owedMs += performance.now() - this.#owedSince;
    this.#owedSince = null;
  }

  /** Nothing more is asked. Answers that were no frames, or came unasked, leave it owing until now. */
  close(): void {
    this.#settle();
    this.#stopClock();
    this.#dismiss();
  }

  #stopClock(): void {
    if (this.#startup !== null) clearTimeout(this.#startup);
  }
}
