import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Duplex, type Readable, type Writable } from 'node:stream';
import { AssayError } from '../../domain/errors.js';
import { killOnExit } from '../process/kill-on-exit.js';
import type { LiveRun } from '../process/live-run.js';
import { offerToKernel } from '../process/process-table.js';
import { watchOver } from '../process/watchdog.js';
import type { RunResult } from '../run.js';
import type { Hold } from '../tiers/launch.js';
import { exitSchema } from './natural-ending.js';
import { Run } from './run-to-end.js';
import { firstExtra, startProgram, type Plan } from './start-program.js';
import { duplexOf, ignore, readableOf, writableOf } from './streams.js';

/** A running program and its end. */
export interface Supervision {
  stdin: Writable;
  stdout: Readable;
  /** Both directions of the extra descriptors, in their order. */
  extra: Duplex[];
  done: Promise<RunResult>;
  kill(): Promise<void>;
}

/** Starts a program, watches its limits, and sees to it that nothing of it is left. */
export function supervise(plan: Plan): Supervision {
  const { launch } = plan;
  const started = startProgram(plan);
  if (typeof started === 'string') return stillborn(Promise.resolve(started), launch.hold);
  const failure = new Promise<string>((resolve) => started.once('error', (error) => resolve(error.message)));
  const { pid } = started;
  if (pid === undefined) return stillborn(failure, launch.hold);
  try {
    return watchStarted(plan, pid, started);
  } catch (error) {
    // nobody else knows of it yet
    killGroup(pid);
    void launch.hold?.end();
    throw error;
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

function watchStarted(plan: Plan, pid: number, started: ChildProcess): Supervision {
  const { launch, request } = plan;
  const streams = started.stdio;
  offerToKernel(pid);
  const live: LiveRun = {
    mark: request.id,
    group: pid,
    controlGroups: launch.hold?.controlGroups ?? [],
    uid: launch.uid,
    wallS: (request.warmupS ?? 0) + request.limits.wallS,
  };
  const registered = [killOnExit(live), watchOver(live)];
  const over = (): void => registered.forEach((unregister) => unregister());
  // a close waits for every holder of the pipes, so the exit of the first process is taken instead
  const exited = once(started, 'exit').then((end) => exitSchema.parse(end));
  const run = new Run(plan, pid, exited, streams);
  void run.done.then(over, over);
  return {
    stdin: writableOf(streams[0]),
    stdout: readableOf(streams[1]),
    extra: streams.slice(firstExtra(launch)).slice(0, plan.extra).map(duplexOf),
    done: run.done,
    kill: () => run.kill(),
  };
}

function stillborn(failure: Promise<string>, hold: Hold | null): Supervision {
  const done = failure.then(async (words): Promise<never> => {
    await hold?.end();
    throw new AssayError('HOST_FAULT', `a program could not be started: ${words}`);
  });
  done.catch(ignore);
  const nothing = new Duplex({ read: ignore, write: (_chunk, _encoding, next) => next() });
  nothing.push(null);
  return {
    stdin: nothing,
    stdout: nothing,
    extra: [nothing, nothing, nothing],
    done,
    kill: () => done.catch(ignore),
  };
}
