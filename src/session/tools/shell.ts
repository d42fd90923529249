import { textOf } from '../../domain/text/diff.js';
import { applyEdit, type Tree } from '../../domain/text/edits.js';
import { clippedList } from '../../domain/text/clipped-list.js';
import type { KeptFiles } from '../../domain/session/bench.js';
import { benchOf, refused, said, type Answer, type CallContext } from './answer.js';
import { printed } from './printed.js';

/** Runs a command on a copy of the workspace, and makes edits of what it changed where that is asked for. */
export async function shell(
  context: CallContext,
  { command, timeoutS, keep }: { command: string; timeoutS: number; keep: boolean },
): Promise<Answer> {
  const { call, workspace, monitor } = context;
  const request = { owner: call.owner, snapshot: workspace.snapshot, command, timeoutS, keep };
  const result = await benchOf(context).shell(request, monitor);
  if (!result.ran) return refused(context, result.refusal);
  const { keeping } = result;
  const told = printed(result);
  const isError = result.exit === null;
  if (keeping === null) return { ...said(context, told), isError };
  if ('refused' in keeping)
    return { ...said(context, `${told}\n\nNothing was kept: ${keeping.refused}.`), isError };
  const { text, snapshot } = await edited(context, keeping.kept);
  return { text: `${told}\n\n${text}`, isError, workspace: { ...workspace, snapshot } };
}

/** Makes edits of changed files, under the rules of the edit tool, and says of each what became of it. */
async function edited(
  { lineage, workspace, spec }: CallContext,
  { changed, foreign, removed }: KeptFiles,
): Promise<{ text: string; snapshot: string }> {
  const before = await lineage.blobs.tree(workspace.snapshot);
  let tree: Tree = new Map(before.map(({ path }) => [path, '']));
  const kept: { path: string; bytes: Buffer }[] = [];
  const faults: string[] = [];
  for (const { path, bytes } of changed) {
    const text = textOf(bytes);
    const result =
      text === null
        ? { error: `"${path}" was not kept: it is no text.` }
        : applyEdit(tree, { command: 'create', path, text }, spec.recipe.editable);
    if ('error' in result) faults.push(result.error);
    else {
      tree = result.files;
      kept.push({ path, bytes });
    }
  }
  const parts = [
    kept.length === 0 ? 'Nothing was kept.' : `Kept: ${clippedList(kept.map(({ path }) => path))}.`,
    ...faults.slice(0, 10),
    ...(foreign.length === 0 ? [] : [`Dropped, as they may not be edited: ${clippedList(foreign)}.`]),
    ...(removed.length === 0 ? [] : [`Removed by the command, and still there: ${clippedList(removed)}.`]),
  ];
  const snapshot =
    kept.length === 0 ? workspace.snapshot : await lineage.blobs.putChanged(workspace.snapshot, kept);
  return { text: parts.join('\n'), snapshot };
}
