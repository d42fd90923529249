import { textOf } from '../../domain/text/diff.js';
import type { KnowledgeCall } from '../../model/tools/knowledge.js';
import { refused, said, type Answer, type CallContext } from './answer.js';
import { wholeLines } from './whole-lines.js';

const FOLDER = 'knowledge/';
/** Characters of a file that one answer shows. */
const SHOWN = 16_000;

/** Lists the knowledge of the task, or shows a file of it. */
export async function knowledge(context: CallContext, { path, line }: KnowledgeCall): Promise<Answer> {
  const { lineage, frozen } = context;
  const { files } = await lineage.tasks.get(frozen.task.digest);
  const known = files.filter((file) => file.path.startsWith(FOLDER));
  const nameOf = (file: { path: string }): string => file.path.slice(FOLDER.length);
  const list = known.map((file) => `${nameOf(file)} (${file.bytes} bytes)`).join('\n');
  if (path === null) return said(context, list === '' ? 'the task has no knowledge' : list);
  const asked = path.startsWith(FOLDER) ? path.slice(FOLDER.length) : path;
  const file = known.find((one) => nameOf(one) === asked);
  if (file === undefined)
    return refused(
      context,
      `There is no such file. ${list === '' ? 'The task has none.' : `Files:\n${list}`}`,
    );
  const whole = textOf(await lineage.blobs.get(file.sha256));
  if (whole === null) return refused(context, `${asked} is no text.`);
  const lines = whole.split('\n').slice(line - 1);
  const { text, left } = wholeLines(lines, SHOWN);
  const rest = left === 0 ? '' : `\n[${left} more lines, from line ${line + lines.length - left} on]`;
  return said(context, `${text}${rest}`);
}
