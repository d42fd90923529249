// Plain JavaScript: it runs in a thread of its own, without a compiler.
import { parentPort } from 'node:worker_threads';
import { changesBetween, unifiedDiff } from '../../domain/text/diff.js';
import { editKind } from './edit-kind.js';

/** @typedef {import('../../domain/text/diff.js').Named} Named */
/** @typedef {{ id: number, before: Named[], after: Named[] }} Asked */

parentPort?.on('message', (/** @type {Asked} */ asked) => {
  void answerTo(asked).then((answer) => parentPort?.postMessage(answer));
});

/** @param {Asked} asked */
async function answerTo({ id, before, after }) {
  try {
    const diff = unifiedDiff(before, after);
    return { id, diff, changes: changesBetween(diff), edit: await editKind(before, after) };
  } catch (error) {
    // others may be waiting for their answers
    return { id, fault: error instanceof Error ? error.message : String(error) };
  }
}
