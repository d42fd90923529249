import { say } from './terminal.js';

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type EndSignal = keyof typeof SIGNALS;

/**
 * npm and npx pass a signal on to a command that got it from the terminal already, so what comes this soon after the
 * first is the same key pressed once.
 */
const SAME_PRESS_MS = 400;
/** An orderly end that takes longer is not one; every step has a shorter deadline of its own. */
const LONGEST_END_MS = 20_000;

/** Reason why an orderly shutdown began. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor(readonly signal: EndSignal) {
    super(`ended by ${signal}`);
  }

  /** 128 and the number of the signal, as shells report it. */
  get exitCode(): number {
    return SIGNALS[this.signal];
  }
}

let request: AbortController | null = null;

/**
 * From now on the first SIGINT, SIGTERM or SIGHUP aborts this signal, with an {@link Interrupted} as its reason, for
 * the command to end in order; the second ends the process at once, and so does the first after 20 s. Whatever this
 * process has started is killed as it exits.
 */
export function endRequest(): AbortSignal {
  if (request !== null) return request.signal;
  const controller = new AbortController();
  request = controller;
  let first = 0;
  for (const name of Object.keys(SIGNALS).filter(isEndSignal))
    process.on(name, () => {
      if (!controller.signal.aborted) {
        first = performance.now();
        setTimeout(() => atOnce(name, 'it took longer than 20 s'), LONGEST_END_MS).unref();
        // a terminal's signal reaches the compiler of a clone's sources as well, which then fails in a thread of its own
        process.once('uncaughtException', ({ message }) =>
          atOnce(name, `it failed while it ended (${message})`),
        );
        controller.abort(new Interrupted(name));
      } else if (performance.now() - first > SAME_PRESS_MS) atOnce(name, 'asked twice');
    });
  return controller.signal;
}

/** Returns the reason why this process ends early, or null while it does not. */
export function interruption(): Interrupted | null {
  const reason: unknown = request?.signal.reason;
  return reason instanceof Interrupted ? reason : null;
}

/** Settles at the first signal, see {@link endRequest}. */
export function interrupted(): Promise<Interrupted> {
  const signal = endRequest();
  return new Promise((resolve) => {
    const settle = (): void => resolve(interruption() ?? new Interrupted('SIGINT'));
    if (signal.aborted) settle();
    else signal.addEventListener('abort', settle, { once: true });
  });
}

/** For commands that have nothing to put in order: the first signal ends them. */
export function endAtFirstSignal(): void {
  for (const name of Object.keys(SIGNALS).filter(isEndSignal))
    process.once(name, () => process.exit(SIGNALS[name]));
}

function atOnce(signal: EndSignal, why: string): void {
  say(`ended at once: ${why}; what ran here was killed, nothing stored is lost; \`assay dev\` continues`);
  process.exit(SIGNALS[signal]);
}

function isEndSignal(name: string): name is EndSignal {
  return name in SIGNALS;
}
