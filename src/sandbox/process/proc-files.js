// Plain JavaScript, as the thread of the watchdog runs it without a compiler.
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/** A program may give itself an environment of megabytes; the mark is looked for in so much of it. */
const ENVIRONMENT_BYTES = 256 * 1024;
const environment = Buffer.alloc(ENVIRONMENT_BYTES);

/**
 * The run that a process says it belongs to (its first environment), or null.
 * @param {number} pid
 * @returns {string | null}
 */
export function markerOf(pid) {
  const own = environmentOf(`/proc/${pid}`);
  if (own !== '') return markIn(own);
  // that of a process whose first thread has ended is told by its other threads alone
  for (const thread of threadsOf(pid)) {
    const text = environmentOf(`/proc/${pid}/task/${thread}`);
    if (text !== '') return markIn(text);
  }
  return null;
}

/**
 * Empty when it is gone or not to be read, and for a thread that has ended.
 * @param {string} folder
 * @returns {string}
 */
function environmentOf(folder) {
  try {
    return startOfFile(`${folder}/environ`);
  } catch {
    return '';
  }
}

/**
 * @param {number} pid
 * @returns {string[]}
 */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/**
 * The run that the text of an environment names first, or null.
 * @param {string} variables
 * @returns {string | null}
 */
export function markIn(variables) {
  return /(?:^|\0)ASSAY_RUN=([^\0]*)/.exec(variables)?.[1] ?? null;
}

/**
 * The user that a process runs as; null when it is gone, or where there is no /proc.
 * @param {number} pid
 * @returns {number | null}
 */
export function userOf(pid) {
  try {
    const found = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
    return found === null ? null : Number(found[1]);
  } catch {
    return null;
  }
}

/**
 * Sends SIGKILL; a process (or group, when negative) that is gone already is no error.
 * @param {number} pid
 * @returns {void}
 */
export function killNow(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone, or never ours: the caller looks again at who is alive
  }
}

/**
 * The first bytes of a file of /proc as text.
 * @param {string} path
 * @returns {string}
 */
function startOfFile(path) {
  const descriptor = openSync(path, 'r');
  try {
    let have = 0;
    for (let read = -1; read !== 0 && have < ENVIRONMENT_BYTES; have += read)
      read = readSync(descriptor, environment, have, ENVIRONMENT_BYTES - have, have);
    return environment.toString('utf8', 0, have);
  } finally {
    closeSync(descriptor);
  }
}
