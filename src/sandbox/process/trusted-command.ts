import { describeEnding } from '../describe-ending.js';
import { supervise } from '../supervision/supervise.js';
import { NO_ISOLATION } from '../tiers/no-isolation.js';
import type { Limits, RunRequest, RunResult } from '../run.js';

/** Options of a trusted program. */
export interface TrustedOptions {
  cwd: string;
  /** Its whole environment. */
  env: Record<string, string>;
  timeoutS: number;
  signal: AbortSignal;
  /** Unique, as for runs of the recipe; by default one of its own. */
  id?: string;
  onOutput?: RunRequest['onOutput'];
}

const GENEROUS: Omit<Limits, 'wallS'> = {
  memoryBytes: Number.MAX_SAFE_INTEGER,
  diskBytes: Number.MAX_SAFE_INTEGER,
  logBytes: 256 * 1024,
  processes: 4096,
};

let started = 0;

/** Returns true when a program succeeded. */
export function endedWell({ ending }: Pick<RunResult, 'ending'>): boolean {
  return ending.kind === 'exited' && ending.code === 0;
}

/**
 * Runs a program that the operator trusts (a venv, a task's preparation) in a process group of its own that is dead
 * afterwards, with a time limit and a bounded log of stdout and stderr. Rejects with the signal's reason when it was
 * aborted, and with HOST_FAULT when it cannot be started.
 */
export async function runTrusted(argv: readonly string[], options: TrustedOptions): Promise<RunResult> {
  const { cwd, env, timeoutS, signal, onOutput } = options;
  signal.throwIfAborted();
  const request: RunRequest = {
    id: options.id ?? `trusted-${process.pid}-${(started += 1)}`,
    command: '',
    cwd,
    writable: [],
    readable: [],
    env,
    limits: { ...GENEROUS, wallS: timeoutS },
    signal,
    ...(onOutput === undefined ? {} : { onOutput }),
  };
  const args = ['-c', 'exec "$@" 2>&1', 'sh', ...argv];
  const launch = { file: '/bin/sh', args, cwd, inputs: [], reports: false, uid: null, hold: null };
  const result = await supervise({ launch, request, isolation: NO_ISOLATION, log: 'stdout', extra: 0 }).done;
  const { ending } = result;
  if (ending.kind === 'cancelled') signal.throwIfAborted();
  if (ending.kind === 'exited') return result;
  return { ...result, log: `${result.log}\n[it ${describeEnding(ending)}]` };
}
