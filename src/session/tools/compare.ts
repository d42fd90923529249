import { treeDiff } from '../../lineage/blob-store/tree-diff.js';
import { decisionMeasure } from '../../domain/task/task.js';
import { renderRows } from '../../model/view/row-text.js';
import { refused, said, type Answer, type CallContext } from './answer.js';
import { wholeLines } from './whole-lines.js';

/** Characters of a diff that one answer shows. */
const SHOWN = 20_000;

/** Shows how the files of two trials differ, or those of a trial and the workspace. */
export async function diff(
  context: CallContext,
  { from, to }: { from: number; to: number | null },
): Promise<Answer> {
  const before = await context.trials.get(from);
  if (before === null) return refused(context, `There is no trial ${from}.`);
  const after = to === null ? context.workspace : await context.trials.get(to);
  if (after === null) return refused(context, `There is no trial ${to ?? from}.`);
  const found = await treeDiff(context.lineage.blobs, before.snapshot, after.snapshot);
  if (found.diff === '') return said(context, 'the same files');
  const { text, left } = wholeLines(found.diff.trimEnd().split('\n'), SHOWN);
  return said(context, left === 0 ? text : `${text}\n[${left} more lines]`);
}

/** Lists the trials that were built on a trial. */
export async function children(
  context: CallContext,
  { trial, limit }: { trial: number; limit: number },
): Promise<Answer> {
  const { spec, trials } = context;
  if ((await trials.get(trial)) === null) return refused(context, `There is no trial ${trial}.`);
  const found = await trials.children(trial, limit);
  if (found.length === 0) return said(context, `nothing was built on trial ${trial}`);
  return said(context, renderRows(await trials.rows(found), decisionMeasure(spec)));
}
