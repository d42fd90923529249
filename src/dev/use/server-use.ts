import { randomUUID } from 'node:crypto';
import type { Home } from '../paths.js';
import { identityOf, isAlive, isAliveNow, isForeign, type ProcessIdentity } from '../process/identity.js';
import { killGroupOnExit, releaseGroup } from '../process/kill-servers-on-exit.js';
import { withLockNow } from '../process/lock.js';
import type { SignOfLife } from '../process/sign-of-life.js';
import {
  isUsedByOthersNow,
  livingUsers,
  noteGoneNow,
  type Entry,
  type Role,
  type ServerKind,
  type ServerUser,
} from '../record.js';

/** A command as it uses the servers of its home. */
export interface ServerUse {
  home: Home;
  say: (line: string) => void;
  /** This command, as the record lists it. */
  me: ServerUser;
  /** The servers that it uses, as the record last described them. */
  held: Map<ServerKind, Entry>;
  /** Shows that this command lives, from its first claim to its release. */
  life: SignOfLife | null;
}

/** Begins with no server in use. */
export async function beginUse(home: Home, role: Role, say: (line: string) => void): Promise<ServerUse> {
  const me = { ...(await identityOf(process.pid)), id: randomUUID(), role };
  return { home, say, me, held: new Map(), life: null };
}

/** Living users of a server besides this one. */
export async function othersOf({ home, me }: ServerUse, entry: Entry | null): Promise<ServerUser[]> {
  return (await livingUsers(home, entry)).filter(({ id }) => id !== me.id);
}

/** Returns true for a server that runs; one that cannot be looked at from here, while others than this command use it. */
export async function seemsToRun(use: ServerUse, entry: Entry): Promise<boolean> {
  if (entry.process === null) return false;
  return isForeign(entry.process) ? (await othersOf(use, entry)).length > 0 : isAlive(entry.process);
}

/** Returns true while the record lists this use of the server. */
export function isListed({ me }: ServerUse, entry: Entry | null): boolean {
  return entry?.users.some(({ id }) => id === me.id) === true;
}

/**
 * Remembers a server that this command uses: should it exit and nobody else use the server, that is killed. One that
 * cannot be looked at from here is left alone: its pid names other processes here, if any.
 */
export function hold(use: ServerUse, part: ServerKind, entry: Entry): void {
  const before = use.held.get(part)?.process ?? null;
  const server = entry.process;
  use.held.set(part, entry);
  if (before?.pid !== server?.pid) unwatch(before);
  if (server === null || isForeign(server)) return;
  const { home } = use;
  killGroupOnExit(server.pid, {
    spared: () => !isAliveNow(server) || isUsedByOthersNow(home, part, entry),
    killed: () => withLockNow(home.lock, () => noteGoneNow(home.record, part, server.pid)),
  });
}

/** Forgets a server; another use by this same process goes on watching over it. */
export function letGo(use: ServerUse, part: ServerKind, others: readonly ServerUser[]): void {
  const server = use.held.get(part)?.process ?? null;
  use.held.delete(part);
  const { me } = use;
  if (!others.some((other) => other.pid === me.pid && other.space === me.space)) unwatch(server);
}

function unwatch(server: ProcessIdentity | null): void {
  if (server !== null && !isForeign(server)) releaseGroup(server.pid);
}
