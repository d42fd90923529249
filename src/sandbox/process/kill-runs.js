// Plain JavaScript, as the thread of the watchdog runs it without a compiler.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killNow, markerOf, userOf } from './proc-files.js';

/** Looks at the host at most; each finds what the one before it was too early for. */
const ROUNDS = 50;

/**
 * Kills all processes of some runs without waiting for anything: their groups, those who left them and still carry the
 * mark, the members of their control groups, and those of their own users.
 * @param {readonly import('./live-run.js').LiveRun[]} runs
 * @returns {void}
 */
export function killRuns(runs) {
  if (runs.length === 0) return;
  const marks = new Set(runs.map(({ mark }) => mark));
  const users = new Set(runs.flatMap(({ uid }) => uid ?? []));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { group, controlGroups } of runs) {
      killNow(-group);
      for (const folder of controlGroups) killMembers(folder);
    }
    if (!killFound(marks, users)) return;
  }
}

/**
 * Kills the processes of a control group that can be seen from here.
 * @param {string} folder
 * @returns {void}
 */
export function killMembers(folder) {
  try {
    writeFileSync(join(folder, 'cgroup.kill'), '1', { flag: 'r+' });
  } catch {
    // version 1 has no such file, and a group that is gone has none either
  }
  for (const pid of membersOf(folder)) killNow(pid);
}

/**
 * Processes of a control group that can be seen from here.
 * @param {string} folder
 * @returns {number[]}
 */
export function membersOf(folder) {
  try {
    const lines = readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n');
    return lines.map(Number).filter((pid) => pid > 0);
  } catch {
    return [];
  }
}

/**
 * Looks at the host once; returns whether anything was found to kill. What is being killed may be found a little longer.
 * @param {ReadonlySet<string>} marks
 * @param {ReadonlySet<number>} users
 * @returns {boolean}
 */
function killFound(marks, users) {
  let found = false;
  for (const pid of pids()) {
    if (pid === process.pid || !belongs(pid, marks, users)) continue;
    killNow(pid);
    found = true;
  }
  return found;
}

/**
 * Returns true when a living process belongs to one of these runs.
 * @param {number} pid
 * @param {ReadonlySet<string>} marks
 * @param {ReadonlySet<number>} users
 * @returns {boolean}
 */
function belongs(pid, marks, users) {
  // the dead have no environment, and keep their user until they are collected
  const mark = markerOf(pid);
  if (mark !== null && marks.has(mark)) return true;
  return users.size > 0 && users.has(userOf(pid) ?? -1) && !isZombie(pid);
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isZombie(pid) {
  try {
    return /^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return true;
  }
}

/**
 * All processes of this host that can be seen; none where there is no /proc.
 * @returns {number[]}
 */
function pids() {
  try {
    return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
  } catch {
    return [];
  }
}
