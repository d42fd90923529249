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

  constructor(
    private readonly ground: CommandContext,
    private readonly pool: string,
    private readonly signal: AbortSignal,
  ) {}

  /** Starts them unless others poll; looks at most every few seconds. */
  async ensure(): Promise<void> {
    if (this.#fleet !== null || performance.now() - this.#lookedAt < LOOK_EVERY_MS) return;
    const isFirst = this.#lookedAt === -Infinity;
    if (!this.ground.servers.alone && (await this.#othersPoll())) {
      this.#lookedAt = performance.now();
      return;
    }
    if (!isFirst) say('the workers that were here have ended; this command goes on with its own');
    this.#fleet = await startLocalFleet(this.ground.servers, { roles: [], pool: this.pool }, this.signal);
  }

  async drain(): Promise<void> {
    if (this.#fleet !== null) await drain(this.#fleet);
  }

  async #othersPoll(): Promise<boolean> {
    const client = await this.ground.client();
    const { namespace } = this.ground.servers.temporal;
    const { pollers } = await queueFacts(client, namespace, 'assay', 'workflow');
    return pollers.some(
      ({ at, worker }) => seenLately(at, new Date(), ALIVE_MS, FORGOTTEN_MS) && !hasEndedHere(worker),
    );
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
