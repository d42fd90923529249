import { execa } from 'execa';
import { NEVER } from './abortable.js';
import { installerEnvironment, withUtf8Names } from './environment.js';
import { killGroupOnExit, releaseGroup, signalGroup } from './kill-servers-on-exit.js';

/** Runs a short command and returns what it printed, or null when it failed or does not exist. */
export async function outputOf(file: string, args: readonly string[], seconds = 20): Promise<string | null> {
  const done = await execa(file, args, {
    env: withUtf8Names(installerEnvironment()),
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: seconds * 1000,
  });
  return done.failed ? null : done.all;
}

/**
 * Runs a package client or a download to its end, in a process group that dies with this process.
 * @throws Error with the line of its output that names the cause; the signal's reason when that was aborted
 */
export async function mustRun(
  file: string,
  args: readonly string[],
  options: { cwd: string; seconds: number; env?: NodeJS.ProcessEnv; signal?: AbortSignal },
): Promise<string> {
  const { signal = NEVER } = options;
  signal.throwIfAborted();
  const child = execa(file, args, {
    cwd: options.cwd,
    env: { ...withUtf8Names(installerEnvironment()), ...options.env },
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
    timeout: options.seconds * 1000,
    forceKillAfterDelay: 2000,
    detached: true,
    cleanup: false,
  });
  const { pid } = child;
  const kill = (): void => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  };
  if (pid !== undefined) killGroupOnExit(pid);
  signal.addEventListener('abort', kill, { once: true });
  const done = await child.finally(() => {
    signal.removeEventListener('abort', kill);
    kill();
    if (pid !== undefined) releaseGroup(pid);
  });
  signal.throwIfAborted();
  if (!done.failed) return done.stdout;
  if (done.timedOut) throw new Error(`no end after ${options.seconds} s`);
  throw new Error(causeIn(done.all) ?? `${file} ended with ${done.exitCode ?? done.signal ?? 'no word'}`);
}

/** The first line that says error; clients print the cause there and their advice after it. */
function causeIn(output: string): string | null {
  const lines = output.split('\n').map((line) => line.trim());
  const telling = lines.find((line) => /error/i.test(line)) ?? lines.findLast((line) => line !== '');
  return telling === undefined ? null : telling.replace(/^error: /, '').slice(0, 240);
}
