// Plain JavaScript: it runs in a thread of its own, without a compiler.
import { parentPort } from 'node:worker_threads';
import { changesBetween, unifiedDiff } from '../../domain/text/diff.js';

/** @typedef {import('../../domain/text/diff.js').Named} Named */
/** @typedef {{ id: number, before: Named[], after: Named[] }} Asked */

parentPort?.on('message', (/** @type {Asked} */ asked) => parentPort?.postMessage(answerTo(asked)));

/** @param {Asked} asked */
function answerTo({ id, before, after }) {
  try {
    const diff = unifiedDiff(before, after);
    return { id, diff, changes: changesBetween(diff) };
  } catch (error) {
    // others may be waiting for their answers
    return { id, fault: error instanceof Error ? error.message : String(error) };
  }
}
