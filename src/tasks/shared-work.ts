/** Work under way for everyone who asked for it. */
interface Shared<T> {
  result: Promise<T>;
  abort: AbortController;
  /** Number of callers that still wait for it. */
  waiting: number;
}

/**
 * Does work once for several callers and keeps its result. A caller that is cancelled leaves alone; the work is
 * aborted when nobody waits for it any more, and the last caller leaves when it has ended. Failed or aborted work is
 * done again when it is asked for again.
 */
export class SharedWork<T> {
  readonly #works = new Map<string, Shared<T>>();

  /** Returns the result of the work under `key`, or rejects with the reason of `signal` if that is first. */
  async join(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const shared = this.#works.get(key) ?? this.#begin(key, work);
    shared.waiting += 1;
    const heard = new AbortController();
    try {
      return await Promise.race([shared.result, aborted(signal, heard.signal)]);
    } finally {
      heard.abort();
      shared.waiting -= 1;
      if (signal.aborted && shared.waiting === 0) await this.#abort(key, shared);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Shared<T> {
    const abort = new AbortController();
    const shared = { result: work(abort.signal), abort, waiting: 0 };
    this.#works.set(key, shared);
    shared.result.catch(() => this.#forget(key, shared));
    return shared;
  }

  /** Ends the work; whoever asks from now on begins it anew. */
  async #abort(key: string, shared: Shared<T>): Promise<void> {
    this.#forget(key, shared);
    shared.abort.abort();
    await shared.result.catch(() => undefined);
  }

  #forget(key: string, shared: Shared<T>): void {
    if (this.#works.get(key) === shared) this.#works.delete(key);
  }
}

/** Rejects with the reason of a signal once it is aborted; `heard` ends the listening. */
function aborted(signal: AbortSignal, heard: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const leave = (): void => {
      const reason: unknown = signal.reason;
      reject(reason instanceof Error ? reason : new Error(String(reason)));
    };
    signal.addEventListener('abort', leave, { signal: heard });
  });
}
