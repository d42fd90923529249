import { cpus } from 'node:os';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import { abortable } from '../../dev/process/abortable.js';
import type { Servers } from '../../dev/servers.js';
import { killRunsNow } from '../../sandbox/process/kill-on-exit.js';
import type { Fleet } from '../../../workers/fleet.js';
import { GRACE_MS, ROLES, type Role } from '../../../workers/role-names.js';
import { within } from '../terminal/deadline.js';
import { homeFolder } from '../folders.js';
import { cacheFolder } from '../../dev/paths.js';
import { endRequest, interrupted, interruption } from '../terminal/interrupt.js';
import { say } from '../terminal/terminal.js';

/** A person's options for the workers to run. */
export interface FleetFlags {
  slots?: string | undefined;
  roles: readonly string[];
  pool: string;
}

/** Worker roles as a person types them; none or `all` is every role. */
export function parseRoles(names: readonly string[]): Role[] {
  if (names.length === 0 || names.includes('all')) return [...ROLES];
  const parsed = z.array(z.enum(ROLES)).safeParse(names);
  if (parsed.success) return [...new Set(parsed.data)];
  throw new AssayError('USAGE', `unknown worker role; roles are ${[...ROLES, 'all'].join(', ')}`);
}

/** One core is left for servers and evaluation. */
export function parseSlots(text: string | undefined): number {
  if (text === undefined) return Math.max(1, cpus().length - 1);
  const slots = Number(text);
  if (Number.isInteger(slots) && slots > 0 && slots <= 1024) return slots;
  throw new AssayError('USAGE', `--slots takes a whole number from 1 to 1024, not "${text}"`);
}

/** Until here the workers have ended, or what they run is killed. */
const DRAIN_MS = GRACE_MS + 3000;
const START_ENDS_MS = 3000;

/**
 * Starts workers of this machine against the servers that the command found. When `signal` is aborted meanwhile, they
 * are stopped again and its reason is thrown.
 */
export async function startLocalFleet(
  { temporal, store }: Pick<Servers, 'temporal' | 'store'>,
  flags: FleetFlags,
  signal: AbortSignal,
): Promise<Fleet> {
  const { startFleet } = await import('../../../workers/fleet.js');
  const starting = startFleet(parseRoles(flags.roles), {
    temporal: { address: temporal.address, namespace: temporal.namespace },
    store: { url: store.url, database: store.database },
    home: homeFolder(),
    cache: cacheFolder(),
    pool: flags.pool,
    slots: parseSlots(flags.slots),
    env: process.env,
    say,
  });
  try {
    return await abortable(signal, starting);
  } catch (error) {
    const stopped = starting.then(
      (fleet) => fleet.stop(),
      () => undefined,
    );
    if (signal.aborted) await within(START_ENDS_MS, 'the start of the workers', stopped);
    throw error;
  }
}

/** Ends workers in bounded time; what they run then is dead, and begins again under another worker. */
export async function drain(fleet: Fleet): Promise<void> {
  if (interruption() !== null)
    say(`draining: work in flight continues for up to ${GRACE_MS / 1000} s; Ctrl-C again ends at once`);
  if (await within(DRAIN_MS, 'the work of the workers', fleet.stop())) return;
  const killed = killRunsNow();
  if (killed > 0) say(`${killed} running programs were killed; their phases begin again`);
}

/** Runs workers until a signal, then drains them. */
export async function runFleet(
  servers: Pick<Servers, 'temporal' | 'store' | 'others'>,
  flags: FleetFlags,
): Promise<void> {
  const fleet = await startLocalFleet(servers, flags, endRequest());
  say(
    `workers: ${parseRoles(flags.roles).join(', ')} (pool ${flags.pool}). Ctrl-C ends them; campaigns continue at the next start.`,
  );
  try {
    await Promise.race([interrupted(), fleet.ended]);
  } finally {
    await drain(fleet);
  }
  const others = await servers.others();
  if (others.length > 0) say(`servers stay for the commands that use them: process ${others.join(', ')}`);
  process.exitCode = interruption()?.exitCode ?? 0;
}
