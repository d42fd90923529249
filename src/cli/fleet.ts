import { cpus } from 'node:os';
import { z } from 'zod';
import { AssayError } from '../domain/errors.js';
import type { Servers } from '../dev/servers.js';
import type { Fleet } from '../../workers/fleet.js';
import { ROLES, type Role } from '../../workers/role-names.js';
import { cacheFolder, homeFolder } from './ground.js';
import { interrupted } from './interrupt.js';
import { say } from './terminal.js';

/** What a person says of the workers to run. */
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

/** Starts workers of this machine against the servers that the command found. */
export async function startLocalFleet(
  { temporal, store }: Pick<Servers, 'temporal' | 'store'>,
  flags: FleetFlags,
): Promise<Fleet> {
  const { startFleet } = await import('../../workers/fleet.js');
  return startFleet(parseRoles(flags.roles), {
    temporal: { address: temporal.address, namespace: temporal.namespace },
    store: { url: store.url, database: store.database },
    home: homeFolder(),
    cache: cacheFolder(),
    pool: flags.pool,
    slots: parseSlots(flags.slots),
    env: process.env,
  });
}

/** Runs workers until Ctrl-C, then drains them. */
export async function runFleet(
  servers: Pick<Servers, 'temporal' | 'store'>,
  flags: FleetFlags,
): Promise<void> {
  const fleet = await startLocalFleet(servers, flags);
  say(
    `workers: ${parseRoles(flags.roles).join(', ')} (pool ${flags.pool}). Ctrl-C ends them; campaigns go on at the next start.`,
  );
  await Promise.race([interrupted(), fleet.ended]);
  say('draining: work in flight goes on for up to 10 s; Ctrl-C again ends at once');
  await fleet.stop();
}
