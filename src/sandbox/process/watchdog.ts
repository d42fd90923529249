import { url as inspectorUrl } from 'node:inspector';
import { Worker } from 'node:worker_threads';
import { z } from 'zod';
import { AssayError } from '../../domain/errors.js';
import type { LiveRun } from './live-run.js';

const DEFAULT_BOUND_S = 30;
/** Looks of the thread within the bound; the main thread beats twice as often. */
const TICKS = 30;
const [BEAT, INSPECTED] = [0, 1];

const boundSchema = z.coerce.number().min(1).max(86_400);

/** Watches this process from a thread that keeps running when the main thread does not. */
interface Watchdog {
  thread: Worker;
  shared: Int32Array<SharedArrayBuffer>;
  beatMs: number;
  beating: NodeJS.Timeout | null;
}

/**
 * Has the thread end this process when its event loop has not answered for `ASSAY_WATCHDOG_S` seconds, whether anything
 * runs or not: what is read and stored after a run comes from the recipe as well. Returns what ends that.
 */
export function watchProcess(): () => void {
  const dog = (watchdog ??= start());
  const name = (count += 1);
  begin(dog, name);
  dog.thread.postMessage({ begun: name, run: null });
  return () => end(dog, name);
}

let watchdog: Watchdog | null = null;
const watched = new Set<number>();
let count = 0;

/**
 * Has a thread of its own kill a run when it is still there `ASSAY_WATCHDOG_S` (default: 30) seconds after its wall
 * limit, and all runs and then this process when its event loop has not answered for as long. Seconds are counted in
 * ticks of that thread: while the process is stopped, or the machine sleeps, none pass, nor while a debugger may be
 * attached. Returns what to call when the run is over.
 * @throws AssayError USAGE when ASSAY_WATCHDOG_S is no number of seconds from 1 to 86,400
 */
export function watchOver(run: LiveRun): () => void {
  const dog = (watchdog ??= start());
  const name = (count += 1);
  begin(dog, name);
  dog.thread.postMessage({ begun: name, run });
  return () => end(dog, name);
}

function begin(dog: Watchdog, name: number): void {
  watched.add(name);
  beat(dog);
  dog.beating ??= setInterval(() => beat(dog), dog.beatMs).unref();
}

function end(dog: Watchdog, name: number): void {
  dog.thread.postMessage({ over: name });
  watched.delete(name);
  if (watched.size > 0 || dog.beating === null) return;
  clearInterval(dog.beating);
  dog.beating = null;
}

function start(): Watchdog {
  const tickMs = (boundS() * 1000) / TICKS;
  const shared = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
    name: 'watchdog',
    workerData: { shared, tickMs, boundTicks: TICKS },
    // what the main thread was started with, a debugger or a compiler, is not for this one
    execArgv: [],
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 4 },
  });
  thread.unref();
  // a worker that nothing watches over must not take work
  thread.on('error', (error) => {
    throw error;
  });
  return { thread, shared, beatMs: tickMs / 2, beating: null };
}

function beat({ shared }: Watchdog): void {
  Atomics.add(shared, BEAT, 1);
  Atomics.store(shared, INSPECTED, inspectorUrl() === undefined ? 0 : 1);
}

function boundS(): number {
  const asked = process.env['ASSAY_WATCHDOG_S'];
  if (asked === undefined || asked === '') return DEFAULT_BOUND_S;
  const parsed = boundSchema.safeParse(asked);
  if (parsed.success) return parsed.data;
  throw new AssayError('USAGE', `ASSAY_WATCHDOG_S is "${asked}", not a number of seconds from 1 to 86400`);
}
