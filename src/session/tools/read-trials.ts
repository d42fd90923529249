import { decisionMeasure } from '../../domain/task/task.js';
import type { TrialDocument } from '../../lineage/documents/trial.js';
import type { Lineage } from '../../lineage/lineage.js';
import { renderRows } from '../../model/view/row-text.js';
import type { LineageCall } from '../../model/tools/lineage.js';
import { refused, said, type Answer, type CallContext } from './answer.js';

const READ_LOG_TAIL = 3000;
const READ_DIFF = 20_000;
/** Newest trials among which rows are sought. */
const MOST_SOUGHT = 500;

/** Lists trials by role and status, newest first. */
export async function listTrials(
  context: CallContext,
  { role, status, limit }: Extract<LineageCall, { tool: 'lineage' }>,
): Promise<Answer> {
  const { spec, trials } = context;
  const asked = (await trials.latest(MOST_SOUGHT)).filter(
    (trial) => (role === null || trial.role === role) && (status === null || trial.status === status),
  );
  const rows = await trials.rows(asked.slice(0, limit));
  return said(context, rows.length === 0 ? 'no such trials' : renderRows(rows, decisionMeasure(spec)));
}

/** Tells one trial in full. */
export async function readTrial(context: CallContext, number: number): Promise<Answer> {
  const { lineage, spec, trials } = context;
  const trial = await trials.get(number);
  if (trial === null) return refused(context, `There is no trial ${number}.`);
  const diff = await lineage.blobs.text(trial.diff);
  const parts = [
    renderRows(await trials.rows([trial]), decisionMeasure(spec)),
    `metrics: ${JSON.stringify(trial.outcome?.metrics ?? {})}`,
    ...(trial.outcome?.feedback ? [`feedback: ${trial.outcome.feedback}`] : []),
    `diff against trial ${trial.parent ?? 'none'}:\n${diff.slice(0, READ_DIFF)}`,
    `log tail:\n${await logTail(lineage, trial)}`,
  ];
  return said(context, parts.join('\n\n'));
}

async function logTail(lineage: Lineage, trial: TrialDocument): Promise<string> {
  const [replicate] = await lineage.replicates.many(trial.replicates.slice(-1));
  const run = replicate?.trained?.runs.at(-1);
  if (run === undefined) return trial.preflight?.tail ?? '(none)';
  return (await lineage.blobs.text(run.log)).slice(-READ_LOG_TAIL);
}
