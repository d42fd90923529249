import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Duplex, Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { definedFields } from '../../domain/defined-fields.js';
import { AssayError, messageOf } from '../../domain/errors.js';
import type { Isolation } from '../../domain/task/isolation.js';
import { openConstant } from '../sealing/constant-file.js';
import { diskUse } from '../host/disk-use.js';
import { diedWithThisProcess, killOnExit } from './kill-on-exit.js';
import { ProcessTree } from './process-tree.js';
import { BoundedLog } from '../bounded-log.js';
import { HostSpeed, hostLoad } from '../host/host-speed.js';
import { offerToKernel } from './process-table.js';
import type { Ending, RunRequest, RunResult } from '../run.js';
import { largestFile } from './shell.js';
import type { Hold, Launch } from '../tiers/launch.js';
import { watchLimits } from './limit-watchdog.js';
import type { LiveRun } from './live-run.js';
import { SIGNAL_VARIABLES, SignalChannel } from './signals.js';
import { WallClock } from './wall-clock.js';
import { watchOver } from './watchdog.js';
import { WrapperReports, type WrapperReport } from './wrapper-report.js';

/**
 * Time for which the pipes are read after every known process is dead: a stray process may hold them forever.
 */
const GRACE_MS = 300;
/** A run that prints this many times its log allowance is ended. */
const FLOOD = 64;
/** Part of a run's time for which it may be held back by its own bound before its speed says nothing of the host. */
const OWN_WAIT = 0.1;

interface Plan {
  launch: Launch;
  request: RunRequest;
  isolation: Isolation;
  /** Stream that is the log; with `stderr`, stdin and stdout are the caller's. */
  log: 'stdout' | 'stderr';
  /** Pipes for the caller, after the descriptors of the wrapper. */
  extra: number;
}

/** A running program and its end. */
export interface Supervision {
  stdin: Writable;
  stdout: Readable;
  /** Both directions of the extra descriptors, in their order. */
  extra: Duplex[];
  done: Promise<RunResult>;
  kill(): Promise<void>;
}

/** Ending of the first process: what the event `exit` carries. */
const exitSchema = z
  .tuple([z.number().nullable(), z.string().nullable()])
  .transform(([code, signal]) => ({ code, signal }));
type Exit = z.infer<typeof exitSchema>;

/** Starts a program, watches its limits, and sees to it that nothing of it is left. */
export function supervise(plan: Plan): Supervision {
  const { launch } = plan;
  const started = start(plan);
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

/** Descriptor after those of the wrapper. */
const firstExtra = ({ reports, inputs }: Launch): number => 3 + (reports ? 1 : 0) + inputs.length;

/** Tells a run that may give signals by which descriptors it does. */
function signalVariables({ launch, request, extra }: Plan): Record<string, string> {
  if (request.signals === undefined) return {};
  const first = firstExtra(launch) + extra;
  return Object.fromEntries(SIGNAL_VARIABLES.map((name, at) => [name, String(first + at)]));
}

/** The started process, or in words why none could be. */
function start(plan: Plan): ChildProcess | string {
  const { launch, request } = plan;
  const extra = plan.extra + (request.signals === undefined ? 0 : SIGNAL_VARIABLES.length);
  const inputs: number[] = [];
  try {
    for (const input of launch.inputs) inputs.push(openConstant(input));
    return spawn(launch.file, launch.args, {
      cwd: launch.cwd,
      env: { ...request.env, ...startTime(request), ...signalVariables(plan), ASSAY_RUN: request.id },
      detached: true,
      stdio: [
        // never /dev/null of the host, which a run could change
        'pipe',
        'pipe',
        'pipe',
        ...(launch.reports ? ['pipe' as const] : []),
        ...inputs,
        ...Array.from({ length: extra }, () => 'pipe' as const),
      ],
    });
  } catch (error) {
    return messageOf(error);
  } finally {
    for (const descriptor of inputs) closeSync(descriptor);
  }
}

/** Seconds of the clock that does not go back, as every process of this host reads it. */
function startTime({ startVariable }: RunRequest): Record<string, string> {
  return startVariable === undefined
    ? {}
    : { [startVariable]: (Number(process.hrtime.bigint()) / 1e9).toFixed(6) };
}

class Run {
  readonly done: Promise<RunResult>;
  readonly #log: BoundedLog;
  /** Complaints of the wrapper itself, when the log is elsewhere. */
  readonly #complaint = new BoundedLog(4096);
  readonly #family: ProcessTree;
  readonly #speed = new HostSpeed();
  /** Moment at which it said that it has trained. */
  #trainedAt: number | null = null;
  /** Milliseconds for which it was throttled before its time began. */
  #throttledBefore = 0;
  readonly #over = new AbortController();
  readonly #pipes: Readable[] = [];
  #signals: SignalChannel | null = null;
  readonly #clock: WallClock;
  #ending: Ending | null = null;
  /** Fault of the host in showing a run what it asked for. */
  #fault: Error | null = null;
  #reported: number | null = null;
  #peak = 0;
  #failed: (reason: unknown) => void = () => undefined;

  constructor(
    readonly plan: Plan,
    pid: number,
    exited: Promise<Exit>,
    streams: readonly unknown[],
  ) {
    const { launch, request } = plan;
    this.#log = new BoundedLog(request.limits.logBytes);
    this.#family = new ProcessTree(request.id, pid, launch.reports, launch.uid, launch.wrappers);
    const unkillable = new Promise<never>((_, reject) => (this.#failed = reject));
    this.#wire(streams);
    this.#clock = new WallClock(request.limits, request.warmupS ?? null, (ending) => this.#end(ending));
    this.done = this.#live(Promise.race([exited, unkillable]));
    this.done.catch(() => undefined);
  }

  #wire(streams: readonly unknown[]): void {
    const { launch, log } = this.plan;
    const collect = (stream: unknown, into: BoundedLog): void => {
      const readable = readableOf(stream);
      this.#pipes.push(readable);
      readable.on('data', (chunk: Buffer) => this.#printed(into, chunk));
    };
    if (log === 'stdout') {
      writableOf(streams[0]).end();
      collect(streams[1], this.#log);
    }
    collect(streams[2], log === 'stderr' ? this.#log : this.#complaint);
    for (const stream of streams)
      if (stream instanceof Duplex || stream instanceof Writable) stream.on('error', ignore);
    const { signals } = this.plan.request;
    const [from, to] = streams.slice(firstExtra(launch) + this.plan.extra);
    if (signals !== undefined)
      this.#signals = new SignalChannel(signals, duplexOf(from), duplexOf(to), {
        said: (word) => {
          if (word === 'ready' && this.#ending === null) this.#beginTime();
          if (word === 'trained') this.#trainedAt = performance.now();
        },
        failed: (error) => {
          this.#fault ??= error instanceof Error ? error : new Error(messageOf(error));
          this.#end({ kind: 'cancelled' });
        },
      });
    if (!launch.reports) return;
    const reports = new WrapperReports();
    const status = readableOf(streams[3]);
    this.#pipes.push(status);
    status.on('data', (chunk: Buffer) => {
      try {
        for (const report of reports.read(chunk)) this.#report(report);
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  /** What is timed begins after the warm-up, and so does what is told of the host's load. */
  #beginTime(): void {
    this.#clock.begin();
    this.#speed.look(this.#family.rows);
    this.#speed.begin();
    this.#throttledBefore = this.#throttledMs();
    this.plan.request.onReady?.();
  }

  #throttledMs(): number {
    return this.plan.launch.hold?.throttledMs() ?? 0;
  }

  #report(report: WrapperReport): void {
    this.#reported = report['exit-code'] ?? this.#reported;
    const inner = report['child-pid'];
    if (inner !== undefined) void this.#family.adopt(inner);
  }

  #printed(into: BoundedLog, chunk: Buffer): void {
    const allowed = FLOOD * this.plan.request.limits.logBytes;
    // what was in the pipe when the run was ended still belongs to its log
    if (into.bytes > allowed) return;
    into.add(chunk);
    if (into === this.#log && into.bytes > allowed) {
      this.#end({ kind: 'limit', limit: 'output', used: into.bytes, allowed });
    }
  }

  /** The first cause decides; everything is killed, and the exit that follows finishes the run. */
  #end(ending: Ending): void {
    if (this.#ending !== null || this.#over.signal.aborted) return;
    this.#ending = ending;
    this.#family.destroy().catch(this.#failed);
  }

  async kill(): Promise<void> {
    this.#end({ kind: 'cancelled' });
    await this.done;
  }

  async #live(exited: Promise<Exit>): Promise<RunResult> {
    const { request, launch } = this.plan;
    const began = performance.now();
    const startedAt = new Date();
    const cancel = (): void => this.#end({ kind: 'cancelled' });
    request.signal.addEventListener('abort', cancel, { once: true });
    if (request.signal.aborted) cancel();
    const watched = { family: this.#family, hold: this.plan.launch.hold };
    const watching = watchLimits(watched, request, this.#over.signal, {
      end: (ending) => this.#end(ending),
      seen: (bytes) => {
        this.#peak = Math.max(this.#peak, bytes);
        this.#speed.look(this.#family.rows);
      },
      output: () => ({ bytes: this.#log.bytes, lastLine: this.#log.lastLine }),
    });
    try {
      const exit = await exited;
      // its time ended with its first process, whatever still has to be read or killed
      this.#clock.stop();
      const wallMs = this.#clock.elapsedMs;
      const revealMs = this.#trainedAt === null ? undefined : performance.now() - this.#trainedAt;
      if ((await launch.hold?.kill()) !== true) await this.#family.destroy();
      await this.#drain();
      await this.#signals?.close();
      if (this.#fault !== null) throw this.#fault;
      const ending = this.#ending ?? (await this.#naturalEnding(exit, began));
      const { bytes: logBytes } = this.#log;
      if (logBytes > 0) request.onOutput?.(logBytes, this.#log.lastLine);
      const { isolation } = this.plan;
      const host = { hostSpeed: this.#hostSpeed(wallMs), cpuS: this.#speed.cpuS(), load: hostLoad() };
      const times = { startedAt, wallMs, ...definedFields({ warmupMs: this.#clock.warmupMs, revealMs }) };
      const measured = { ...times, ...this.#spoken(), ...host, peakRssBytes: this.#peak };
      return { ending, ...measured, log: this.#log.text(), logBytes, isolation };
    } finally {
      this.#clock.stop();
      this.#over.abort();
      await launch.hold?.end();
      request.signal.removeEventListener('abort', cancel);
      await watching;
    }
  }

  #spoken(): Pick<RunResult, 'said' | 'stray'> {
    if (this.#signals === null) return {};
    const { said, stray } = this.#signals;
    return { said, ...definedFields({ stray }) };
  }

  /** Unknown for a run that waited for more processors than it may have: that is its own doing, not its host's. */
  #hostSpeed(wallMs: number): number | null {
    const throttledMs = this.#throttledMs() - this.#throttledBefore;
    return throttledMs > OWN_WAIT * wallMs ? null : this.#speed.value();
  }

  /** Reads what is left in the pipes, but never waits for one that another process holds. */
  async #drain(): Promise<void> {
    const open = this.#pipes.filter((pipe) => !pipe.readableEnded && !pipe.destroyed);
    const ends = open.map((pipe) => once(pipe, 'close').catch(ignore));
    const grace = new AbortController();
    await Promise.race([
      Promise.all(ends),
      sleep(GRACE_MS, undefined, { signal: grace.signal }).catch(ignore),
    ]);
    grace.abort();
    for (const pipe of open) pipe.destroy();
  }

  async #naturalEnding({ code, signal }: Exit, began: number): Promise<Ending> {
    const { launch, request } = this.plan;
    if (signal !== null && diedWithThisProcess(signal, began))
      throw new AssayError('HOST_FAULT', `it was ended by the ${signal} that ends its worker`);
    if (launch.reports && this.#reported === null && signal === null) {
      const words = (this.plan.log === 'stdout' ? this.#complaint : this.#log).text().trim();
      throw new AssayError(
        'HOST_FAULT',
        `the sandbox could not be set up: ${words || `exit code ${code ?? '?'}`}`,
      );
    }
    const ending = endingOf(code, signal);
    const well = ending.kind === 'exited' && ending.code === 0;
    const refused = launch.hold?.refused() ?? null;
    // a program that was refused something and still did what it should has kept its limit
    if (refused !== null && !well) return refused;
    const { diskBytes: allowed } = request.limits;
    if (request.writable.length === 0) return ending;
    const { bytes, largest } = await diskUse(request.writable);
    const tooMuch = bytes > allowed || largest >= largestFile(request.limits);
    if (!tooMuch && !(ending.kind === 'signalled' && ending.signal === 'SIGXFSZ')) return ending;
    return { kind: 'limit', limit: 'disk', used: Math.max(bytes, largest), allowed };
  }
}

/** A shell, and bubblewrap, report a death by signal n as exit code 128 + n; it is named as what it is. */
function endingOf(code: number | null, signal: string | null): Ending {
  if (signal !== null) return { kind: 'signalled', signal };
  const name = Object.entries(constants.signals).find(([, value]) => value + 128 === code)?.[0];
  return name === undefined ? { kind: 'exited', code: code ?? 1 } : { kind: 'signalled', signal: name };
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

const ignore = (): void => undefined;

function readableOf(stream: unknown): Readable {
  if (stream instanceof Readable) return stream;
  throw new AssayError('INTERNAL', 'a pipe of a started process cannot be read');
}

function writableOf(stream: unknown): Writable {
  if (stream instanceof Writable || stream instanceof Duplex) return stream;
  return new Writable({
    write: (_chunk, _encoding, next) => next(new Error(messageOf('no input is connected'))),
  });
}

function duplexOf(stream: unknown): Duplex {
  if (stream instanceof Duplex) return stream;
  throw new AssayError('INTERNAL', 'an extra descriptor of a started process is not connected');
}
