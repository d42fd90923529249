import { once } from 'node:events';
import { Duplex, Writable, type Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { definedFields } from '../../domain/defined-fields.js';
import { messageOf } from '../../domain/errors.js';
import { BoundedLog } from '../bounded-log.js';
import { HostSpeed, hostLoad } from '../host/host-speed.js';
import { ProcessTree } from '../process/process-tree.js';
import type { Ending, RunResult } from '../run.js';
import { watchLimits } from './limit-watchdog.js';
import { naturalEnding, type Exit } from './natural-ending.js';
import { SignalChannel } from './signals.js';
import { firstExtra, type Plan } from './start-program.js';
import { duplexOf, ignore, readableOf, writableOf } from './streams.js';
import { WallClock } from './wall-clock.js';
import { WrapperReports, type WrapperReport } from './wrapper-report.js';

/**
 * Time for which the pipes are read after every known process is dead: a stray process may hold them forever.
 */
const GRACE_MS = 300;
/** A run that prints this many times its log allowance is ended. */
const FLOOD = 64;
/** Part of a run's time for which it may be held back by its own bound before its speed says nothing of the host. */
const OWN_WAIT = 0.1;

/** One run of a program, from its start to the death of all its processes. */
export class Run {
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

  #naturalEnding(exit: Exit, began: number): Promise<Ending> {
    const complaint = (): string => (this.plan.log === 'stdout' ? this.#complaint : this.#log).text();
    return naturalEnding(this.plan, { exit, began, reported: this.#reported, complaint });
  }
}
