import { curveRows } from '../../domain/trial/curve.js';
import type { ProgressPoint } from '../../domain/task/progress.js';
import { amount } from '../../model/answers.js';
import { refused, said, type Answer, type CallContext } from './answer.js';

/** Rows of a curve. */
const ROWS = 20;

/** Shows the progress that trainings reported, as numbers by the share of the training, and in seconds of its budget. */
export async function curve(context: CallContext, numbers: readonly number[]): Promise<Answer> {
  const curves: (readonly ProgressPoint[])[] = [];
  for (const number of numbers) {
    const points = await progressOf(context, number);
    if (typeof points === 'string') return refused(context, points);
    curves.push(points);
  }
  const { trainSeconds } = context.frozen;
  const head = [
    'share',
    ...(trainSeconds === null ? [] : ['seconds']),
    ...numbers.map((number) => `trial ${number}`),
  ];
  const rows = curveRows(curves, ROWS).map(({ share, values }) => [
    amount(share),
    ...(trainSeconds === null ? [] : [amount(share * trainSeconds)]),
    ...values.map((value) => (value === null ? '-' : amount(value))),
  ]);
  return said(context, [head, ...rows].map((cells) => cells.join('\t')).join('\n'));
}

/** The progress of the first run of a trial, or why there is none. */
async function progressOf(
  { lineage, trials }: CallContext,
  number: number,
): Promise<readonly ProgressPoint[] | string> {
  const trial = await trials.get(number);
  if (trial === null) return `There is no trial ${number}.`;
  const runs = (await lineage.replicates.many(trial.replicates)).sort((a, b) => a.index - b.index);
  const points = runs.find(({ trained }) => (trained?.progress.length ?? 0) > 0)?.trained?.progress;
  return points ?? `Trial ${number} has reported no progress.`;
}
