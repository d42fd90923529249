import type { Duplex } from 'node:stream';
import type { Sandbox } from '../run.js';
import { Bridge, type ServerRequest } from './bridge.js';

/** The second of two servers, which lives only after the first. */
export class Successor {
  /** Settles when it is dead, or when it is known that it will not live; rejects when the sandbox itself failed. */
  readonly over: Promise<void>;
  #bridge: Bridge | null = null;
  #unwanted = false;

  constructor(
    readonly sandbox: Sandbox,
    readonly request: ServerRequest,
    first: Bridge,
    readonly pipes: readonly Duplex[],
  ) {
    // execa discards unread output, unless the stream was paused
    pipes[0]?.pause();
    this.over = this.#follow(first);
    this.over.catch(() => undefined);
  }

  async #follow(first: Bridge): Promise<void> {
    await first.dismissed;
    await first.part();
    if (!first.parted || !this.#wanted()) return;
    const server = await this.sandbox.serve(this.request);
    this.#bridge = Bridge.over(server, this.pipes, this.request);
    // what was given up while it started
    await (this.#wanted() ? server.done : server.kill());
  }

  #wanted(): boolean {
    return !this.#unwanted;
  }

  /** Its bridge, if it came to live; it does not start after this. */
  end(): Bridge | null {
    this.#unwanted = true;
    return this.#bridge;
  }

  async kill(): Promise<void> {
    this.#unwanted = true;
    this.#bridge?.close();
    await this.#bridge?.server.kill();
    await this.over;
  }
}
