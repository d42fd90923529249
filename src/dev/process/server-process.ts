import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { sweepOrphans } from '../../sandbox/process/process-table.js';
import { abortable } from './abortable.js';
import { serverEnvironment, withUtf8Names } from './environment.js';
import { identityOf, isAlive, sharesSpace, type ProcessIdentity } from './identity.js';
import { signalGroup } from './kill-servers-on-exit.js';
import { lastLines, rotate } from './logs.js';

/** Milliseconds that a server gets to write down what it holds before it is killed. */
export const CLEAN_END_MS = 10_000;
/**
 * Milliseconds where a person waits for the end: a server that is killed then loses nothing that it acknowledged.
 */
export const HURRIED_MS = 4_000;
const KILLED_END_MS = 5_000;

/** A server. It leads a process group of its own. */
export type ServerProcess = ProcessIdentity;

export interface Command {
  file: string;
  args: readonly string[];
  cwd: string;
  /** Its output is appended to this file. */
  log: string;
  /** Names the server in its environment, so that one whose pid was never written down can be found. */
  marker: string;
}

/** The mark of the servers of one kind in one home folder. */
export function markerFor(home: string, part: string): string {
  return `assay-${part}-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`;
}

/**
 * Starts a server that outlives this process unless it is stopped.
 * A server of the same marker that a killed command left before it was written down is ended first.
 */
export async function launch(command: Command): Promise<ServerProcess> {
  // a container may run servers of a folder that has the same path there
  await sweepOrphans({ ids: [command.marker] }, sharesSpace);
  await mkdir(dirname(command.log), { recursive: true });
  await rotate(command.log);
  const output = createWriteStream(command.log, { flags: 'a', mode: 0o600 });
  await once(output, 'open');
  try {
    const child = execa(command.file, command.args, {
      cwd: command.cwd,
      env: withUtf8Names(serverEnvironment(command.marker)),
      extendEnv: false,
      stdin: 'ignore',
      stdout: output,
      stderr: output,
      detached: true,
      cleanup: false,
      reject: false,
    });
    child.unref();
    const { pid } = child;
    if (pid === undefined) {
      const { originalMessage } = await child;
      throw new Error(`${command.file} could not be started: ${originalMessage ?? 'no reason given'}`);
    }
    return await identityOf(pid);
  } finally {
    output.destroy();
  }
}

/**
 * Ends a server cleanly: SIGTERM, time to write down what it holds, then SIGKILL for what is left of its group.
 * Returns whether SIGTERM was enough.
 */
export async function end(server: ServerProcess, cleanMs = CLEAN_END_MS): Promise<boolean> {
  if (!(await isAlive(server))) return true;
  signalGroup(server.pid, 'SIGTERM');
  if (await isGone(server, cleanMs)) return true;
  await kill(server);
  return false;
}

/** Ends a server at once, as a crash would. */
export async function kill(server: ServerProcess): Promise<void> {
  if (!(await isAlive(server))) return;
  signalGroup(server.pid, 'SIGKILL');
  if (!(await isGone(server, KILLED_END_MS))) throw new Error(`process ${server.pid} cannot be killed`);
}

async function isGone(server: ServerProcess, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    if (!(await isAlive(server))) return true;
    await sleep(20);
  }
  return !(await isAlive(server));
}

/** End of a server before it has answered. */
export class EndedAtOnce extends Error {}

/**
 * Asks until the server answers.
 * @throws EndedAtOnce when it ends before, Error when it gives no answer in time, with the last lines of its log; the signal's reason
 * when that was aborted
 */
export async function untilAnswers(
  server: ServerProcess,
  log: string,
  withinMs: number,
  signal: AbortSignal,
  ask: () => Promise<void>,
): Promise<void> {
  let reason: unknown = null;
  const deadline = performance.now() + withinMs;
  while (performance.now() < deadline) {
    try {
      await abortable(signal, ask());
      return;
    } catch (error) {
      signal.throwIfAborted();
      reason = error;
    }
    if (!(await isAlive(server))) {
      throw new EndedAtOnce(`it ended at once; the last lines of ${log}:\n${await lastLines(log)}`, {
        cause: reason,
      });
    }
  }
  throw new Error(
    `no answer within ${withinMs / 1000} s; the last lines of ${log}:\n${await lastLines(log)}`,
    {
      cause: reason,
    },
  );
}
