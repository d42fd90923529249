import { hostname } from 'node:os';
import type { Fleet } from '../../../workers/fleet.js';
import { seenLately } from '../../domain/campaign/clock.js';
import type { CommandContext } from '../context.js';
import { ALIVE_MS, FORGOTTEN_MS, queueFacts } from '../follow/pollers.js';
import { say } from '../terminal/terminal.js';
import { drain, startLocalFleet } from './local-fleet.js';

const LOOK_EVERY_MS = 5000;

/**
 * Workers that a waiting command runs itself while nobody else does: those that it found may belong to a command that
 * ends before it.
 */
export class OwnWorkers {
  #fleet: Fleet | null = null;
  #lookedAt = -Infinity;
  /** Names of the workers that polled at the last look that found any. */
  #seen: readonly string[] = [];
  #seenAt = -Infinity;
  #tellEnd: (reason: unknown) => void = () => undefined;
  /** Rejects when workers of this command have ended, with the failure of the one that failed. */
  readonly ended = new Promise<never>((_, reject) => {
    this.#tellEnd = reject;
  });

  constructor(
    private readonly ground: CommandContext,
    private readonly pool: string,
    private readonly signal: AbortSignal,
  ) {
    this.ended.catch(() => undefined);
  }

  /** Starts them unless others poll; looks at most every few seconds. */
  async ensure(): Promise<void> {
    if (this.#fleet !== null || performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    const isFirst = this.#lookedAt === -Infinity;
    if (!this.ground.servers.alone && (await this.#othersPoll())) {
      this.#lookedAt = performance.now();
      return;
    }
    if (!isFirst) say('the workers that were here have ended; this command goes on with its own');
    const fleet = await startLocalFleet(this.ground.servers, { roles: [], pool: this.pool }, this.signal);
    this.#fleet = fleet;
    fleet.ended.then(
      () => this.#tellEnd(new Error('the workers of this command have ended')),
      (error: unknown) => this.#tellEnd(error),
    );
  }

  async drain(): Promise<void> {
    if (this.#fleet !== null) await drain(this.#fleet);
  }

  async #othersPoll(): Promise<boolean> {
    const client = await this.ground.client();
    const { namespace } = this.ground.servers.temporal;
    const { pollers } = await queueFacts(client, namespace, 'assay', 'workflow');
    const alive = pollers.filter(
      ({ at, worker }) => seenLately(at, new Date(), ALIVE_MS, FORGOTTEN_MS) && !hasEndedHere(worker),
    );
    if (alive.length > 0) {
      this.#seen = alive.map(({ worker }) => worker);
      this.#seenAt = performance.now();
      return true;
    }
    // a server that was started again lists nobody until they ask again, which they do with growing pauses
    const listed = new Set(pollers.map(({ worker }) => worker));
    const mayAskAgain = this.#seen.some((worker) => !listed.has(worker) && !hasEndedHere(worker));
    return mayAskAgain && performance.now() - this.#seenAt < ALIVE_MS;
  }
}

/** Returns true for a worker of this host, by the name `HOST:PID`, whose process has ended: servers list it for a while. */
function hasEndedHere(worker: string): boolean {
  const match = /^(.*):(\d+)$/.exec(worker);
  if (match === null || match[1] !== (process.env['ASSAY_HOST'] ?? hostname())) return false;
  try {
    process.kill(Number(match[2]), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
