import { setImmediate } from 'node:timers/promises';
import { textOf } from '../../domain/text/diff.js';
import { applyInSlices, type Edit, type Tree } from '../../domain/text/edits.js';
import { withoutDot } from '../../domain/text/paths.js';
import type { Lineage } from '../../lineage/lineage.js';
import { refused, said, type Answer, type CallContext } from './answer.js';

/** Views, searches or changes the workspace. */
export async function edit(context: CallContext, change: Edit): Promise<Answer> {
  const { lineage, workspace, spec } = context;
  const tree = await textsFor(lineage, workspace.snapshot, change);
  const result = await inTurns(applyInSlices(tree, change, spec.recipe.editable));
  if ('error' in result) return refused(context, result.error);
  if (result.files === tree) return said(context, result.text);
  const changed = [...result.files]
    .filter(([path, text]) => tree.get(path) !== text)
    .map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const snapshot = await lineage.blobs.putChanged(workspace.snapshot, changed);
  return { text: result.text, isError: false, workspace: { ...workspace, snapshot } };
}

/** Does work that is cut in slices, and lets others run between them. */
export async function inTurns<T>(work: Generator<undefined, T>): Promise<T> {
  for (;;) {
    const { done, value } = work.next();
    if (done === true) return value;
    await setImmediate();
  }
}

/**
 * Reads the text files of a snapshot. Where an edit is about one file, only that one is read; of the others there are
 * only the names.
 */
async function textsFor(lineage: Lineage, snapshot: string, change: Edit): Promise<Tree> {
  const files = await lineage.blobs.tree(snapshot);
  const where = change.path === undefined ? undefined : withoutDot(change.path);
  const one =
    change.command !== 'search' && (change.command !== 'view' || files.some(({ path }) => path === where));
  const texts = new Map<string, string>();
  for (const { path, sha256 } of files) {
    const text = one && path !== where ? '' : textOf(await lineage.blobs.get(sha256));
    if (text !== null) texts.set(path, text);
  }
  return texts;
}
