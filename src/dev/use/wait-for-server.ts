import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, messageOf, type ErrorCode } from '../../domain/errors.js';
import { abortable } from '../process/abortable.js';
import { isForeign } from '../process/identity.js';
import { isFree } from '../process/ports.js';
import type { ServerKind, ServerUser } from '../record.js';
import { SERVER_KINDS } from '../server-kinds.js';
import { NamespaceMissing } from '../temporal/namespace-missing.js';
import { othersOf, seemsToRun, type ServerUse } from './server-use.js';

/** A server that others use gets so long to answer; it is never ended for being slow. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 200;
/** A port that a connection held a moment ago is free again soon. */
const PORT_MS = 10_000;

const UNAVAILABLE: Readonly<Record<ServerKind, ErrorCode>> = {
  temporal: 'TEMPORAL_UNAVAILABLE',
  store: 'STORE_UNAVAILABLE',
};

/**
 * Waits for the port of a server that ended: its users hold its address, so it may not move.
 * @throws AssayError when another program keeps the port; the signal's reason when that was aborted
 */
export async function untilFree(
  part: ServerKind,
  ports: Readonly<Record<string, number>>,
  users: readonly ServerUser[],
  signal: AbortSignal,
): Promise<void> {
  const port = ports['port'];
  if (port === undefined) return;
  const deadline = performance.now() + PORT_MS;
  while (!(await isFree(port))) {
    signal.throwIfAborted();
    await sleep(AGAIN_MS);
    if (performance.now() < deadline) continue;
    const whose = users.length === 0 ? 'this command' : namesOf(users);
    throw new AssayError(
      UNAVAILABLE[part],
      `another program listens on port ${port}, which ${SERVER_KINDS[part].title} of ${whose} had`,
      { remedy: `Free port ${port}, or end ${whose}: the next command then takes another port.` },
    );
  }
}

/**
 * Returns true when a joined server answers, false when it ended meanwhile, or is of another container or boot whose
 * commands have shown no life for a while.
 * @throws AssayError when it does neither for a while: it is left to those who use it; also when it answers without the
 * namespace of this command
 */
export async function answersInTime(use: ServerUse, part: ServerKind, signal: AbortSignal): Promise<boolean> {
  const entry = use.held.get(part);
  if (entry?.process == null) return false;
  const kind = SERVER_KINDS[part];
  const { process, address } = entry;
  let reason = '';
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    try {
      await abortable(signal, kind.ask(address));
      return true;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof NamespaceMissing) throw ofAnotherNamespace(error);
      if (reason === '')
        use.say(`${kind.title} (process ${process.pid}) is slow to answer; waiting for it …`);
      reason = messageOf(error);
    }
    if (!(await seemsToRun(use, entry))) return false;
    await sleep(AGAIN_MS);
  }
  const users = namesOf(await othersOf(use, entry));
  const where = isForeign(process) ? ' in another container or on another machine' : '';
  throw new AssayError(
    UNAVAILABLE[part],
    `${kind.title} (process ${process.pid}${where}) did not answer for ${PATIENCE_MS / 1000} s and is left alone, since ${users} uses it: ${reason}`,
    {
      remedy: `Try again. If it hangs, \`kill -9 ${process.pid}\`${where} loses nothing: who uses it starts it again.`,
    },
  );
}

function ofAnotherNamespace(error: NamespaceMissing): AssayError {
  return new AssayError(
    'TEMPORAL_UNAVAILABLE',
    `Temporal of this clone was started for another namespace: ${error.message}`,
    {
      cause: error,
      remedy:
        'Commands that run at the same time in a clone share a namespace: set ASSAY_TEMPORAL_NAMESPACE as the others have it, or end them first.',
    },
  );
}

/** Users for people: `assay process 12 and 13`. */
export function namesOf(users: readonly ServerUser[]): string {
  return `assay process ${[...new Set(users.map(({ pid }) => pid))].join(' and ') || 'unknown'}`;
}
