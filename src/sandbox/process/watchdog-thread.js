// Plain JavaScript: it runs in a thread of its own, without a compiler, whatever has become of the main thread.
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { killRuns } from './kill-runs.js';
import { killNow } from './proc-files.js';

/** @typedef {import('./live-run.js').LiveRun} LiveRun */
/** @typedef {{ begun: number, run: LiveRun | null } | { over: number }} Told */
/** @typedef {{ shared: Int32Array, tickMs: number, boundTicks: number }} Given */

/** Places in the shared memory: a counter of the main thread, and whether its inspector is open. */
const [BEAT, INSPECTED] = [0, 1];
/** Ticks in a row at which a run is killed that its supervisor does not give up: something of it may come later. */
const KILLS = 3;

/** @type {unknown} */
const given = workerData;
if (!isGiven(given)) throw new Error('the watchdog was started without its bound');
const { shared, tickMs, boundTicks } = given;

/**
 * Live runs with the ticks they have left; null for the process itself. Ticks of this thread are counted and no clock
 * is read: a process that was stopped, or a machine that slept, has not ticked either.
 * @type {Map<number, { run: LiveRun | null, ticks: number }>}
 */
const runs = new Map();
let lastBeat = 0;
let silent = 0;
/** @type {NodeJS.Timeout | null} */
let ticking = null;

parentPort?.on('message', (/** @type {Told} */ told) => {
  if ('over' in told) runs.delete(told.over);
  else runs.set(told.begun, { run: told.run, ticks: 0 });
  if (runs.size > 0 && ticking === null) {
    silent = 0;
    ticking = setInterval(tick, tickMs);
  } else if (runs.size === 0 && ticking !== null) {
    clearInterval(ticking);
    ticking = null;
  }
});

function tick() {
  const beat = Atomics.load(shared, BEAT);
  // a debugger holds the main thread for as long as a person looks
  const answers = beat !== lastBeat || Atomics.load(shared, INSPECTED) === 1;
  lastBeat = beat;
  silent = answers ? 0 : silent + 1;
  if (silent >= boundTicks) endAll();
  for (const one of runs.values()) {
    const { run } = one;
    if (run === null) continue;
    one.ticks += 1;
    const late = one.ticks - boundTicks - Math.ceil((run.wallS * 1000) / tickMs);
    if (late < 0 || late >= KILLS) continue;
    if (late === 0)
      say(`run ${run.mark} is still there ${seconds()} s after its ${run.wallS} s: its processes are killed`);
    killRuns([run]);
  }
}

/**
 * @param {unknown} value
 * @returns {value is Given}
 */
function isGiven(value) {
  if (typeof value !== 'object' || value === null) return false;
  if (!('shared' in value && 'tickMs' in value && 'boundTicks' in value)) return false;
  const { shared: memory, tickMs: tick, boundTicks: ticks } = value;
  return memory instanceof Int32Array && typeof tick === 'number' && typeof ticks === 'number';
}

/** @returns {never} */
function endAll() {
  const all = [...runs.values()].flatMap(({ run }) => (run === null ? [] : [run]));
  killRuns(all);
  say(
    `this worker has not answered for ${seconds()} s: it is killed, and its runs are (${all.map(({ mark }) => mark).join(', ') || 'none'})`,
  );
  for (;;) killNow(process.pid);
}

const seconds = () => Number(((boundTicks * tickMs) / 1000).toPrecision(3));

/**
 * One line on stderr, past the main thread, which may never write again.
 * @param {string} line
 */
function say(line) {
  try {
    writeSync(2, `assay: ${line}\n`);
  } catch {
    // the listener is gone
  }
}
